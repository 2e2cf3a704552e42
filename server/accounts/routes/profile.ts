import type { FastifyInstance } from 'fastify';
import { DeleteAccountBody, ProfileBody, SelfAnswer } from '../../../shared/contract/accounts.ts';
import { self } from '../../../shared/contract/examples.ts';
import { NoBody } from '../../../shared/contract/values.ts';
import type { ServerTime } from '../../dispatch/server-time.ts';
import type { AuthenticationHook } from '../../http/authentication.ts';
import type { ContractTypes } from '../../http/server.ts';
import { toSelf } from '../../model/views/user.ts';
import type { Deactivate } from '../deactivation.ts';
import type { UpdateProfile } from '../profile.ts';
import type { AccountBudgets } from './budgets.ts';

export interface ProfileRoutesOptions {
  onRequest: AuthenticationHook;
  updateProfile: UpdateProfile;
  deactivate: Deactivate;
  budgets: AccountBudgets;
  serverTime: ServerTime;
}

/** Registers the routes for a user's own account: reading, changing and deactivating it. */
export function registerProfileRoutes(fastify: FastifyInstance, options: ProfileRoutesOptions): void {
  const { onRequest, updateProfile, deactivate, budgets, serverTime } = options;
  const app = fastify.withTypeProvider<ContractTypes>();

  app.get(
    '/users/me',
    {
      schema: {
        summary: "The user's own account.",
        response: { 200: SelfAnswer },
        example: { answer: { user: self } },
      },
      onRequest,
    },
    async ({ caller }) => ({ user: toSelf(caller.user) }),
  );

  app.patch(
    '/users/me',
    {
      schema: {
        summary: 'Changes the profile or settings.',
        body: ProfileBody,
        response: { 200: SelfAnswer },
        errors: ['not_found'],
        example: { body: { bio: self.bio, settings: { read_receipts_enabled: true } }, answer: { user: self } },
      },
      onRequest,
    },
    async ({ caller, body }) => ({
      user: toSelf(await serverTime.during(() => updateProfile(caller.user, body))),
    }),
  );

  app.delete(
    '/users/me',
    {
      schema: {
        summary: 'Deactivates the account.',
        body: DeleteAccountBody,
        response: { 204: NoBody },
        example: { body: { password: 'correct horse battery' } },
      },
      onRequest,
      preHandler: budgets.passwordCheck,
    },
    async ({ caller, body }, reply) => {
      await serverTime.during(() => deactivate(caller.user, body.password));
      return reply.code(204).send();
    },
  );
}
