/** The life of one connection, from an accepted handshake to its end (PROTOCOL section 3). */
import type { Logger } from 'pino';
import { PROTOCOL_VERSION } from '../../shared/contract/session.ts';
import type { GroupPlace } from '../delivery/admission.ts';
import type { Delivery } from '../delivery/delivery.ts';
import { end, type IoSocket } from '../delivery/io.ts';
import { createTurns, type DeviceCaller } from '../dispatch/caller.ts';
import { fromId } from '../model/codec.ts';
import type { DeviceInfo } from '../model/documents/accounts.ts';
import type { Reach } from '../model/reach.ts';
import { toSelf } from '../model/views/user.ts';
import { type Admission, forgetHandshake } from './handshake.ts';
import type { AnswerPacket } from './packets.ts';
import { guardAgainstSlowClient } from './slow-clients.ts';
import type { TokenExpiry } from './token-expiry.ts';

export interface ConnectionOptions {
  delivery: Delivery;
  expiry: TokenExpiry;
  loadGroups(userId: string): Promise<GroupPlace[]>;
  answer: AnswerPacket;
  /** Called once `session:ready` has been sent. */
  onConnected(socket: IoSocket, device: DeviceInfo | undefined): void;
  /** Called when a connection ends that `onConnected` was called for. */
  onDisconnected(socket: IoSocket): void;
  /** The time that `sync` accepts as `since`. */
  serverTime(): Date;
  reach: Pick<Reach, 'orAway'>;
  log: Logger;
}

/** Makes a connection ready and answers its packets until it ends. */
export function openConnection(socket: IoSocket, admission: Admission, options: ConnectionOptions): void {
  const { delivery, expiry, answer, onDisconnected, log } = options;
  const caller = callerOf(socket);
  const ready = makeReady(socket, admission, options);
  let isReady = false;
  void ready.then((result) => {
    isReady = result;
  });
  // Attached before anything is awaited: packets that arrive early wait for the connection to be ready.
  socket.use((packet) => {
    // Not passed on: a client's events never reach listeners on the socket object itself.
    if (isReady) void answer(caller, packet);
    else void ready.then((result) => (result ? answer(caller, packet) : undefined));
  });
  socket.on('error', (error) => log.debug({ err: error }, 'socket error'));
  socket.on('disconnecting', () => delivery.dismiss(socket));
  socket.on('disconnect', () => {
    expiry.clear(socket.id);
    if (isReady) onDisconnected(socket);
  });
}

function callerOf({ id: socketId, data: { userId, sessionId } }: IoSocket): DeviceCaller {
  return { userId: fromId(userId), id: userId, sessionId, socketId, inTurn: createTurns() };
}

/** Joins the socket's rooms and sends `session:ready`. @returns whether the connection lives */
async function makeReady(socket: IoSocket, admission: Admission, options: ConnectionOptions): Promise<boolean> {
  const { delivery, expiry, loadGroups, onConnected, reach, log } = options;
  try {
    const isSessionLive = await reach.orAway(delivery.admit(socket, () => loadGroups(socket.data.userId)));
    if (!isSessionLive) {
      end(socket, 'session:revoked');
      return false;
    }
    if (!socket.connected) return false;
    guardAgainstSlowClient(socket);
    forgetHandshake(socket);
    expiry.set(socket, admission.expiresAt);
    socket.emit('session:ready', {
      user: toSelf(admission.user),
      session_id: socket.data.sessionId,
      socket_id: socket.id,
      server_time: options.serverTime().toISOString(),
      protocol: PROTOCOL_VERSION,
    });
    onConnected(socket, admission.device);
    return true;
  } catch (err) {
    log.warn({ err }, 'cannot make a connection ready');
    socket.disconnect(true);
    return false;
  }
}
