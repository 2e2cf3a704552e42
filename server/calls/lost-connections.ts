/** Starts the grace period of users whose device is gone. */
import type { Logger } from 'pino';
import type { Device } from './call.ts';
import type { Changes } from './changes.ts';
import type { OpenCalls } from './open-calls.ts';

export interface LostConnectionOptions {
  openCalls: Pick<OpenCalls, 'seatedIn'>;
  changes: Pick<Changes, 'apply'>;
  nodeId: string;
  reconnectGraceMs: number;
  clock(): Date;
  log: Logger;
}

export interface LostConnections {
  /** A socket of this node is gone. If its user has a call on it, the grace period begins. */
  disconnected(userId: string, socketId: string): void;
  /** A device with a seat in a call is gone. The grace period begins, unless its user has moved the call elsewhere. */
  lose(callId: string, userId: string, device: Device): Promise<void>;
}

export function createLostConnections(options: LostConnectionOptions): LostConnections {
  const { openCalls, changes, nodeId, reconnectGraceMs, clock, log } = options;

  async function lose(callId: string, userId: string, device: Device): Promise<void> {
    const until = new Date(clock().getTime() + reconnectGraceMs);
    await changes.apply(callId, { type: 'disconnect', user: userId, device, until });
  }

  async function loseSocket(userId: string, socketId: string): Promise<void> {
    const call = await openCalls.seatedIn(userId);
    if (call) await lose(call.id, userId, { socket_id: socketId, node_id: nodeId });
  }

  return {
    disconnected(userId, socketId) {
      // What fails here, reconciliation makes up for.
      loseSocket(userId, socketId).catch((err) => log.warn({ err }, 'a lost connection in a call was not recorded'));
    },
    lose,
  };
}
