/** Starts the grace period of users whose device is gone. */
import type { Logger } from 'pino';
import type { Nodes } from '../cluster/nodes.ts';
import { type Call, type Device, deviceOf, seatOf } from './call.ts';
import type { Changes } from './changes.ts';
import type { OpenCalls } from './open-calls.ts';

export interface LostConnectionOptions {
  openCalls: Pick<OpenCalls, 'seatedIn'>;
  changes: Pick<Changes, 'apply'>;
  nodes: Pick<Nodes, 'id' | 'deadAmong'>;
  /** Whether a socket of this node is connected. */
  isConnected(socketId: string): boolean;
  reconnectGraceMs: number;
  clock(): Date;
  log: Logger;
}

export interface LostConnections {
  /** A socket of this node is gone. If its user has a call on it, the grace period begins. */
  disconnected(userId: string, socketId: string): void;
  /** A device with a seat in a call is gone. The grace period begins, unless its user has moved the call elsewhere. */
  lose(callId: string, userId: string, device: Device): Promise<void>;
  /** Begins the grace period of a user whose device in the call is gone, should that not be recorded yet. */
  loseIfGone(call: Call, userId: string): Promise<void>;
}

export function createLostConnections(options: LostConnectionOptions): LostConnections {
  const { openCalls, changes, nodes, isConnected, reconnectGraceMs, clock, log } = options;

  async function lose(callId: string, userId: string, device: Device): Promise<void> {
    const until = new Date(clock().getTime() + reconnectGraceMs);
    await changes.apply(callId, { type: 'disconnect', user: userId, device, until });
  }

  async function loseSocket(userId: string, socketId: string): Promise<void> {
    const call = await openCalls.seatedIn(userId);
    if (call) await lose(call.id, userId, { socket_id: socketId, node_id: nodes.id });
  }

  const isGone = async ({ node_id, socket_id }: Device) =>
    node_id === nodes.id ? !isConnected(socket_id) : (await nodes.deadAmong([node_id])).length > 0;

  return {
    disconnected(userId, socketId) {
      // Reconciliation makes up for what fails here.
      loseSocket(userId, socketId).catch((err) => log.warn({ err }, 'a lost connection in a call was not recorded'));
    },
    lose,
    async loseIfGone(call, userId) {
      const device = deviceOf(seatOf(call, userId));
      if (device && (await isGone(device))) await lose(call.id, userId, device);
    },
  };
}
