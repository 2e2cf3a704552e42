/** The Socket.IO edge: authentication, the life of a connection, and what it sends (PROTOCOL section 3). */
import type { Logger } from 'pino';
import type { Self } from '../../shared/contract/documents.ts';
import { PROTOCOL_VERSION } from '../../shared/contract/session.ts';
import { DeviceInfo } from '../../shared/contract/values.ts';
import type { DeviceInfo as StoredDeviceInfo } from '../model/documents.ts';
import { fromId } from '../model/codec.ts';
import { ContractError, unauthenticated } from '../lib/errors.ts';
import type { GroupPlace } from '../delivery/admission.ts';
import type { Delivery } from '../delivery/delivery.ts';
import { assertPlain, compile, validationFailed } from '../lib/validation.ts';
import { createTurns, type DeviceCaller } from '../dispatch/caller.ts';
import type { AnswerPacket } from './packets.ts';
import { guardAgainstSlowClient } from './slow-clients.ts';
import { end, type Io, type IoSocket } from '../delivery/io.ts';
import { toWireError } from '../dispatch/wire-error.ts';

/** How long a connection stays after its access token ran out, in milliseconds: at most 60 s by the contract. */
const RENEWAL_GRACE_MS = 55_000;
/** Longest delay that a timer can hold. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface Identity {
  userId: string;
  sessionId: string;
  expiresAt: Date;
}

export interface GatewayOptions {
  io: Io;
  delivery: Delivery;
  /** Verifies an access token and its session; throws `unauthenticated`. */
  authenticate(token: string): Promise<Identity & { self: Self }>;
  loadGroups(userId: string): Promise<GroupPlace[]>;
  answer: AnswerPacket;
  /** After `session:ready` was sent. */
  onConnected(socket: IoSocket, device: StoredDeviceInfo | undefined): void;
  onDisconnected(socket: IoSocket): void;
  isDraining(): boolean;
  /** The time that `sync` takes as `since`. */
  serverTime(): Date;
  log: Logger;
}

export interface Gateway {
  /** For `auth:renew`: the token must be one of the same session. Returns seconds until it expires. */
  renew(caller: DeviceCaller, token: string): Promise<number>;
}

/** What only the handshake needed (request, headers, token) is not kept in memory for the life of the connection. */
function forgetHandshake({ conn, handshake }: IoSocket): void {
  Object.assign(conn, { request: undefined });
  Object.assign(handshake, { auth: {}, headers: {}, query: {} });
}

/** Attaches the life of connections to the Socket.IO server. */
export function createGateway(options: GatewayOptions): Gateway {
  const { io, delivery, answer, log } = options;
  const validateDevice = compile(DeviceInfo);
  const expiries = new Map<string, NodeJS.Timeout>();

  io.use((socket, next) => {
    handshake(socket).then(
      () => next(),
      (error: unknown) => {
        const wire = toWireError(error, 'handshake', log);
        next(Object.assign(new Error(wire.message), { data: wire }));
      },
    );
  });

  async function handshake(socket: IoSocket): Promise<void> {
    const { token, device_info: device } = socket.handshake.auth as Record<string, unknown>;
    if (typeof token !== 'string') throw unauthenticated();
    if (options.isDraining()) throw new ContractError('unavailable', 'the server is going down');
    // Strangers are told nothing else than that they are.
    const { self, ...identity } = await options.authenticate(token);
    if (device !== undefined && device !== null) {
      assertPlain(device);
      if (!validateDevice(device)) throw validationFailed(validateDevice);
    }
    Object.assign(socket.data, { userId: identity.userId, sessionId: identity.sessionId });
    starting.set(socket, { self, expiresAt: identity.expiresAt, device: (device ?? undefined) as StoredDeviceInfo });
  }

  /** What the handshake found, until the connection is made. */
  const starting = new WeakMap<IoSocket, { self: Self; expiresAt: Date; device: StoredDeviceInfo | undefined }>();

  io.on('connection', (socket) => {
    const start = starting.get(socket)!;
    starting.delete(socket);
    // Attached before anything is awaited: what arrives meanwhile waits for the connection to be ready.
    const ready = prepare(socket, start);
    const inTurn = createTurns();
    const caller: DeviceCaller = {
      userId: fromId(socket.data.userId),
      id: socket.data.userId,
      sessionId: socket.data.sessionId,
      socketId: socket.id,
      inTurn,
    };
    let isReady = false;
    void ready.then((good) => {
      isReady = good;
    });
    socket.use((packet) => {
      // Never handed on: no event of a client reaches the listeners of the socket object itself.
      if (isReady) void answer(caller, packet);
      else void ready.then((good) => (good ? answer(caller, packet) : undefined));
    });
    socket.on('error', (error) => log.debug({ err: error }, 'socket error'));
    socket.on('disconnecting', () => delivery.dismiss(socket));
    socket.on('disconnect', () => {
      clearTimeout(expiries.get(socket.id));
      expiries.delete(socket.id);
      if (isReady) options.onDisconnected(socket);
    });
  });

  /** Joins the rooms and tells the client that it is ready; false when the connection is not to live. */
  async function prepare(
    socket: IoSocket,
    start: { self: Self; expiresAt: Date; device: StoredDeviceInfo | undefined },
  ): Promise<boolean> {
    try {
      const good = await delivery.admit(socket, () => options.loadGroups(socket.data.userId));
      if (!good) {
        end(socket, 'session:revoked');
        return false;
      }
      if (!socket.connected) return false;
      guardAgainstSlowClient(socket);
      forgetHandshake(socket);
      expireAt(socket, start.expiresAt);
      socket.emit('session:ready', {
        user: start.self,
        session_id: socket.data.sessionId,
        socket_id: socket.id,
        server_time: options.serverTime().toISOString(),
        protocol: PROTOCOL_VERSION,
      });
      options.onConnected(socket, start.device);
      return true;
    } catch (error) {
      log.warn({ err: error }, 'a connection could not be made ready');
      socket.disconnect(true);
      return false;
    }
  }

  function expireAt(socket: IoSocket, expiresAt: Date): void {
    clearTimeout(expiries.get(socket.id));
    const left = Math.max(expiresAt.getTime() + RENEWAL_GRACE_MS - Date.now(), 0);
    const timer =
      left > MAX_TIMER_MS
        ? setTimeout(() => expireAt(socket, expiresAt), MAX_TIMER_MS)
        : setTimeout(() => end(socket, 'session:expired'), left);
    timer.unref();
    expiries.set(socket.id, timer);
  }

  return {
    async renew(caller, token) {
      const identity = await options.authenticate(token);
      if (identity.sessionId !== caller.sessionId) throw unauthenticated('the token is of another session');
      const socket = io.of('/').sockets.get(caller.socketId);
      if (socket) expireAt(socket, identity.expiresAt);
      return Math.max(0, Math.round((identity.expiresAt.getTime() - Date.now()) / 1000));
    },
  };
}
