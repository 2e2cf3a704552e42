/** The routes that let users in or out: sessions, deactivation and reactivation, by either id of a user. */
import type { FastifyInstance } from 'fastify';
import type { TSchema } from 'typebox';
import { SignedIn } from '../../../shared/contract/accounts.ts';
import { signedIn } from '../../../shared/contract/examples.ts';
import { ExternalId, ServerSessionBody } from '../../../shared/contract/operator.ts';
import { Closed, Id, NoBody } from '../../../shared/contract/values.ts';
import type { ServerTime } from '../../dispatch/server-time.ts';
import type { AuthenticationHook } from '../../http/authentication.ts';
import { networkOf } from '../../http/rate-limit.ts';
import type { ContractTypes } from '../../http/server.ts';
import type { DeviceInfo, UserDocument } from '../../model/documents/accounts.ts';
import { type FindUser, found, type UserName } from './users.ts';

export interface AccessRoutesOptions {
  requireServerKey: AuthenticationHook;
  find: FindUser;
  startSession(user: UserDocument, network: string, deviceInfo?: DeviceInfo): Promise<SignedIn>;
  endSessions(user: UserDocument): Promise<void>;
  deactivate(user: UserDocument): Promise<void>;
  reactivate(user: UserDocument): Promise<void>;
  serverTime: ServerTime;
}

/** Registers the routes, each under the user's external id and, for those who registered themselves, the id here. */
export function registerAccessRoutes(app: FastifyInstance, options: AccessRoutesOptions): void {
  registerUnder(app, '/server/users/:external_id', Closed({ external_id: ExternalId }), options);
  registerUnder(app, '/server/users/by-id/:user_id', Closed({ user_id: Id }), options);
}

/** @param params exactly one of the names of a user */
function registerUnder(fastify: FastifyInstance, path: string, params: TSchema, options: AccessRoutesOptions): void {
  const { requireServerKey: onRequest, find, startSession, endSessions, serverTime } = options;
  const app = fastify.withTypeProvider<ContractTypes>();

  app.post(
    `${path}/sessions`,
    {
      schema: {
        summary: 'Signs the user in, without a password.',
        params,
        body: ServerSessionBody,
        response: { 201: SignedIn },
        errors: ['forbidden', 'not_found'],
        example: { body: { device_info: { platform: 'ios' } }, answer: signedIn },
      },
      onRequest,
    },
    async (request, reply) => {
      const user = await found(find, request.params as UserName);
      return reply.code(201).send(await startSession(user, networkOf(request), request.body.device_info));
    },
  );

  app.delete(
    `${path}/sessions`,
    {
      schema: { summary: 'Ends all sessions of the user.', params, response: { 204: NoBody }, errors: ['not_found'] },
      onRequest,
    },
    async (request, reply) => {
      await endSessions(await found(find, request.params as UserName));
      return reply.code(204).send();
    },
  );

  const summaries = {
    deactivate: 'Deactivates the user and ends what was issued; nothing is erased.',
    reactivate: 'Lets a deactivated user in again.',
  };
  for (const change of ['deactivate', 'reactivate'] as const) {
    app.post(
      `${path}/${change}`,
      { schema: { summary: summaries[change], params, response: { 204: NoBody }, errors: ['not_found'] }, onRequest },
      async (request, reply) => {
        const user = await found(find, request.params as UserName);
        await serverTime.during(() => options[change](user));
        return reply.code(204).send();
      },
    );
  }
}
