/** The command that concerns the connection itself. */
import type { Io } from '../delivery/io.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import type { Authenticate } from '../http/authentication.ts';
import { unauthenticated } from '../lib/errors.ts';
import type { TokenExpiry } from './token-expiry.ts';

export interface SessionCommandsOptions {
  io: Io;
  authenticate: Authenticate;
  expiry: TokenExpiry;
  clock(): Date;
}

export function createSessionCommands({ io, authenticate, expiry, clock }: SessionCommandsOptions): HandlersOf<'auth'> {
  return {
    async 'auth:renew'(caller, { token }) {
      const { sessionId, expiresAt } = await authenticate(token);
      if (sessionId !== caller.sessionId) throw unauthenticated('the token belongs to another session');
      const socket = io.of('/').sockets.get(caller.socketId);
      if (socket) expiry.set(socket, expiresAt);
      return { expires_in: Math.max(0, Math.round((expiresAt.getTime() - clock().getTime()) / 1000)) };
    },
  };
}
