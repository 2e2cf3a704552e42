/** The routes for users whom the operator's back end knows: what they are called, and how one is found. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { serverUser } from '../../../shared/contract/examples.ts';
import {
  ExternalId,
  ServerUserAnswer,
  ServerUserBody,
  ServerUserPutAnswer,
  ServerUserQuery,
} from '../../../shared/contract/operator.ts';
import { Closed } from '../../../shared/contract/values.ts';
import type { ServerTime } from '../../dispatch/server-time.ts';
import type { AuthenticationHook } from '../../http/authentication.ts';
import type { ContractTypes } from '../../http/server.ts';
import { invalid, notFound } from '../../lib/errors.ts';
import type { UserDocument } from '../../model/documents/accounts.ts';
import { toServerUser } from '../../model/views/user.ts';

/** A user is named in one of three ways. */
export type UserName = Static<typeof ServerUserQuery>;

/** Finds a user, deactivated or not. */
export type FindUser = (name: UserName) => Promise<UserDocument | undefined>;

export interface UserRoutesOptions {
  requireServerKey: AuthenticationHook;
  find: FindUser;
  put(externalId: string, given: Static<typeof ServerUserBody>): Promise<{ user: UserDocument; created: boolean }>;
  serverTime: ServerTime;
}

/** Registers `PUT /server/users/:external_id` and `GET /server/users`. */
export function registerUserRoutes(fastify: FastifyInstance, options: UserRoutesOptions): void {
  const { requireServerKey, find, put, serverTime } = options;
  const app = fastify.withTypeProvider<ContractTypes>();

  app.put(
    '/server/users/:external_id',
    {
      schema: {
        summary: 'Makes the user with an id of your own, or changes the given parts of one.',
        params: Closed({ external_id: ExternalId }),
        body: ServerUserBody,
        response: { 200: ServerUserPutAnswer, 201: ServerUserPutAnswer },
        errors: ['conflict'],
        example: {
          body: { full_name: serverUser.full_name, metadata: serverUser.metadata },
          answer: { user: serverUser, created: true },
        },
      },
      onRequest: requireServerKey,
    },
    async ({ params, body }, reply) => {
      const { user, created } = await serverTime.during(() => put(params.external_id, body));
      return reply.code(created ? 201 : 200).send({ user: toServerUser(user), created });
    },
  );

  app.get(
    '/server/users',
    {
      schema: {
        summary: 'Finds a user by your own id, the id here, or the username.',
        querystring: ServerUserQuery,
        response: { 200: ServerUserAnswer },
        errors: ['not_found'],
        example: { answer: { user: serverUser } },
      },
      onRequest: [requireServerKey, refuseMalformed],
    },
    async ({ query }) => ({ user: toServerUser(await found(find, query)) }),
  );
}

/** @throws ContractError `not_found` */
export async function found(find: FindUser, name: UserName): Promise<UserDocument> {
  const user = await find(name);
  if (!user) throw notFound('no such user');
  return user;
}

/** Refuses a query whose percent-encoding is not UTF-8: its text would be taken as it is written. */
async function refuseMalformed({ url }: FastifyRequest): Promise<void> {
  try {
    decodeURIComponent(url);
  } catch {
    throw invalid('url', 'is not valid');
  }
}
