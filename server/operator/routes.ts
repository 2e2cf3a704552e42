/** The server API of the operator's own back end (PROTOCOL section 12), put together. */
import type { FastifyInstance } from 'fastify';
import type { ServerTime } from '../dispatch/server-time.ts';
import type { AuthenticationHook } from '../http/authentication.ts';
import { type AccessRoutesOptions, registerAccessRoutes } from './routes/access.ts';
import { type MessageRoutesOptions, registerMessageRoutes } from './routes/messages.ts';
import { registerUserRoutes, type UserRoutesOptions } from './routes/users.ts';

type Parts = Omit<AccessRoutesOptions & UserRoutesOptions, 'requireServerKey' | 'serverTime'>;

export interface OperatorRoutesOptions {
  http: FastifyInstance;
  requireServerKey: AuthenticationHook;
  accounts: Parts;
  deleteMessage: MessageRoutesOptions['deleteAsSender'];
  serverTime: ServerTime;
}

/** Registers everything below `/server` except what other domains add. */
export function registerOperatorRoutes(options: OperatorRoutesOptions): void {
  const { http, accounts, deleteMessage, ...common } = options;
  registerUserRoutes(http, { ...accounts, ...common });
  registerAccessRoutes(http, { ...accounts, ...common });
  registerMessageRoutes(http, { deleteAsSender: deleteMessage, ...common });
}
