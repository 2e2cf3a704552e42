import type { FastifyInstance } from 'fastify';
import { PasswordChangeBody, PasswordForgotBody, PasswordResetBody } from '../../../shared/contract/accounts.ts';
import { Empty, NoBody } from '../../../shared/contract/values.ts';
import { type AuthenticationHook, sessionOf } from '../../http/authentication.ts';
import type { ContractTypes } from '../../http/server.ts';
import type { ChangePassword } from '../passwords/change.ts';
import type { PasswordReset } from '../passwords/reset.ts';
import type { AccountBudgets } from './budgets.ts';

export interface PasswordRoutesOptions {
  onRequest: AuthenticationHook;
  changePassword: ChangePassword;
  passwordReset: PasswordReset;
  budgets: AccountBudgets;
  /** Where links in mails lead. Never the `Host` header, which a stranger can set to anything. */
  linkOrigin(): string;
}

/** Registers the routes that replace a password: by the current one, or by a link in a mail. */
export function registerPasswordRoutes(fastify: FastifyInstance, options: PasswordRoutesOptions): void {
  const { onRequest, changePassword, passwordReset, budgets, linkOrigin } = options;
  const app = fastify.withTypeProvider<ContractTypes>();

  app.post(
    '/auth/password/change',
    {
      schema: {
        summary: 'Changes the password; every other session ends.',
        body: PasswordChangeBody,
        response: { 204: NoBody },
        errors: ['conflict'],
        example: { body: { current_password: 'correct horse battery', new_password: 'a boat on the lake' } },
      },
      onRequest,
      preHandler: budgets.passwordCheck,
    },
    async ({ caller, body }, reply) => {
      await changePassword(caller.user, sessionOf(caller), body.current_password, body.new_password);
      return reply.code(204).send();
    },
  );

  app.post(
    '/auth/password/forgot',
    {
      schema: {
        summary: 'Sends a link by mail if the address is known.',
        body: PasswordForgotBody,
        response: { 202: Empty },
        example: { body: { email: 'ann@example.com' }, answer: {} },
      },
      preHandler: budgets.resetRequest,
    },
    async ({ body }, reply) => {
      await passwordReset.request(body.email, linkOrigin());
      return reply.code(202).send({});
    },
  );

  app.post(
    '/auth/password/reset',
    {
      schema: {
        summary: 'Sets a new password by the token of a mail; every session ends.',
        body: PasswordResetBody,
        response: { 204: NoBody },
        errors: ['conflict'],
        example: { body: { token: 'Zk1hQ0lUb2tlbk9mQU1haWw', new_password: 'a boat on the lake' } },
      },
      preHandler: budgets.reset,
    },
    async ({ body }, reply) => {
      await passwordReset.complete(body.token, body.new_password);
      return reply.code(204).send();
    },
  );
}
