/**
 * Socket.IO's Admin UI (https://socket.io/docs/v4/admin-ui/): numbers of connections, packets and bytes of each node, in
 * the namespace `/admin`. Loaded where it is switched on, and nowhere else. It can change nothing, and shows neither what
 * is sent nor who is connected.
 */
import { hostname } from 'node:os';
import { instrument } from '@socket.io/admin-ui';
import { hash } from 'bcryptjs';
import type { Logger } from 'pino';
import type { Socket } from 'socket.io';
import type { RedisLink } from '../bus/redis-link.ts';
import type { Config } from '../config.ts';
import type { Io } from '../delivery/io.ts';
import { type RateLimiter, type RateRule, refuseAfter } from '../dispatch/rate-limits.ts';
import { toWireError } from '../dispatch/wire-error.ts';
import { addressOf, networkOf } from '../http/rate-limit.ts';
import { BCRYPT_MAX_BYTES } from '../lib/bcrypt-limit.ts';
import { unauthenticated } from '../lib/errors.ts';

const NAMESPACE = '/admin';
const USERNAME = 'admin';
/** The hash is compared on the event loop, and only in memory, beside the password: a costly one would gain nothing. */
const BCRYPT_COST = 4;
const ATTEMPTS: RateRule = { count: 10, per: 60_000 };
/** How long somebody who has signed in may come back without the password, to any node, in seconds. */
const SESSION_S = 86_400;

export interface AdminUiOptions {
  io: Io;
  config: Pick<Config, 'trustProxy'>;
  rateLimiter: RateLimiter;
  /** Undefined on a single node. */
  redis: Pick<RedisLink, 'commands'> | undefined;
  log: Logger;
}

/** Adds the namespace to the server. */
export async function createAdminUi(password: string, options: AdminUiOptions): Promise<void> {
  const { io, config, rateLimiter, redis, log } = options;
  async function admit(socket: Socket): Promise<void> {
    const network = networkOf({ ip: addressOf(socket.request, config) });
    refuseAfter(await rateLimiter.take(`admin-ui:${network}`, ATTEMPTS), 'adminUi');
    if (!isAttempt(socket.handshake.auth)) throw unauthenticated('invalid credentials');
  }
  // Before the Admin UI's own check, which tries whatever comes as a password, however often it comes.
  io.of(NAMESPACE).use((socket, next) => {
    admit(socket as unknown as Socket).then(
      () => next(),
      (error: unknown) => {
        const wire = toWireError(error, 'admin-ui', log);
        next(Object.assign(new Error(wire.message), { data: wire }));
      },
    );
  });
  instrument(io as never, {
    namespaceName: NAMESPACE,
    auth: { type: 'basic', username: USERNAME, password: await hash(password, BCRYPT_COST) },
    readonly: true,
    mode: 'production',
    serverId: `${hostname()}#${process.pid}`,
    ...(redis ? { store: sharedSessions(redis) } : {}),
  });
}

/** Whether it has the shape of a password, or of a session. */
function isAttempt({ username, password, sessionId }: Record<string, unknown>): boolean {
  if (username === undefined && password === undefined) return typeof sessionId === 'string';
  const isPassword = typeof password === 'string' && Buffer.byteLength(password) <= BCRYPT_MAX_BYTES;
  return username === USERNAME && isPassword && (sessionId === undefined || typeof sessionId === 'string');
}

/** Sessions that all nodes know. While Redis is away there are none, and the password is asked for. */
function sharedSessions({ commands }: Pick<RedisLink, 'commands'>) {
  const keyOf = (id: string) => `letsapp:admin-ui:${id}`;
  return {
    doesSessionExist: (id: string) =>
      commands.exists(keyOf(id)).then(
        (count) => count === 1,
        () => false,
      ),
    saveSession: (id: string) => void commands.set(keyOf(id), '1', 'EX', SESSION_S).catch(() => {}),
  };
}
