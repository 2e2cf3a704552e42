/** Accounts over HTTP (PROTOCOL section 2): what each route takes, who may, how often, and the one call that it is. */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import {
  DeleteAccountBody,
  LoginBody,
  PasswordChangeBody,
  PasswordForgotBody,
  PasswordResetBody,
  ProfileBody,
  RefreshBody,
  RegisterBody,
  SelfAnswer,
  SessionList,
  SignedIn,
  Tokens,
} from '../../shared/contract/accounts.ts';
import { Closed, Id } from '../../shared/contract/values.ts';
import type { Config } from '../config.ts';
import { toWire } from '../model/codec.ts';
import type { RateLimiter, RateRule } from '../dispatch/rate-limits.ts';
import { authenticated } from '../http/authentication.ts';
import { callerOf, hashedKey, limited, networkOf } from '../http/rate-limit.ts';
import type { ContractTypes } from '../http/server.ts';
import type { ServerTime } from '../dispatch/server-time.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { Accounts } from './accounts.ts';
import type { PasswordReset } from './password-reset.ts';
import type { Sessions } from './sessions.ts';
import { toSelf } from '../model/views/user.ts';

const MINUTE = 60_000;

/** The first three are the contract's (PROTOCOL section 10); the others keep guessing and flooding slow. */
const RULES = {
  registrationsPerNetwork: { count: 10, per: 10 * MINUTE },
  signInsPerNetwork: { count: 100, per: MINUTE },
  signInsPerAccount: { count: 10, per: MINUTE },
  refreshesPerNetwork: { count: 600, per: MINUTE },
  /** Each try compares a password. */
  passwordChecksPerUser: { count: 10, per: MINUTE },
  /** Each may send a mail. */
  resetRequestsPerNetwork: { count: 20, per: 10 * MINUTE },
  resetRequestsPerAddress: { count: 5, per: 10 * MINUTE },
  resetsPerNetwork: { count: 20, per: MINUTE },
} satisfies Record<string, RateRule>;

export interface AccountRoutesOptions {
  accounts: Accounts;
  passwordReset: PasswordReset;
  sessions: Sessions;
  tokens: AccessTokens;
  serverTime: ServerTime;
  rateLimiter: RateLimiter;
  config: Pick<Config, 'publicUrl' | 'host'>;
}

/** Registers every route of section 2. */
export function registerAccountRoutes(fastify: FastifyInstance, options: AccountRoutesOptions): void {
  const { accounts, passwordReset, sessions, tokens, serverTime, rateLimiter, config } = options;
  const app = fastify.withTypeProvider<ContractTypes>();
  const onRequest = authenticated(sessions);
  const limit = (name: keyof typeof RULES, keyOf: (request: FastifyRequest) => string | Promise<string>) =>
    limited(rateLimiter, name, RULES[name], keyOf);
  const typedEmail = ({ body }: FastifyRequest) => hashedKey((body as Static<typeof PasswordForgotBody>).email);
  /** One budget for an account, by whichever of its names it is tried; names of nobody have theirs, all alike. */
  const accountOf = async ({ body }: FastifyRequest) => {
    const { login } = body as Static<typeof LoginBody>;
    return (await accounts.idOf(login)) ?? hashedKey(login);
  };
  const checksPassword = limit('passwordChecksPerUser', callerOf);

  app.post(
    '/auth/register',
    {
      schema: { summary: 'Registers a user and signs in.', body: RegisterBody, response: { 201: SignedIn } },
      preHandler: limit('registrationsPerNetwork', networkOf),
    },
    async ({ body }, reply) => reply.code(201).send(await accounts.register(body)),
  );

  app.post(
    '/auth/login',
    {
      schema: { summary: 'Signs in by username or email.', body: LoginBody, response: { 200: SignedIn } },
      preHandler: [limit('signInsPerNetwork', networkOf), limit('signInsPerAccount', accountOf)],
    },
    ({ body }) => accounts.login(body),
  );

  app.post(
    '/auth/refresh',
    {
      schema: { summary: 'Exchanges a refresh token for new tokens.', body: RefreshBody, response: { 200: Tokens } },
      preHandler: limit('refreshesPerNetwork', networkOf),
    },
    ({ body }) => sessions.refresh(body.refresh_token),
  );

  app.post(
    '/auth/logout',
    { schema: { summary: 'Ends the session of the access token.' }, onRequest },
    async ({ caller }, reply) => {
      await sessions.end(caller.userId, caller.sessionId);
      return reply.code(204).send();
    },
  );

  app.get(
    '/auth/sessions',
    { schema: { summary: "Lists the user's sessions.", response: { 200: SessionList } }, onRequest },
    async ({ caller }) => {
      const found = await sessions.list(caller.userId);
      return {
        sessions: found.map(({ _id, device_info = {}, created_at, last_used_at }) => ({
          ...toWire({ session_id: _id, created_at, last_used_at }),
          device_info,
          current: _id.toHexString() === caller.sessionId,
        })),
      };
    },
  );

  app.delete(
    '/auth/sessions/:session_id',
    { schema: { summary: "Ends one of the user's sessions.", params: Closed({ session_id: Id }) }, onRequest },
    async ({ caller, params }, reply) => {
      await sessions.end(caller.userId, params.session_id);
      return reply.code(204).send();
    },
  );

  app.post(
    '/auth/password/change',
    {
      schema: { summary: 'Changes the password; every other session ends.', body: PasswordChangeBody },
      onRequest,
      preHandler: checksPassword,
    },
    async ({ caller, body }, reply) => {
      await accounts.changePassword(caller.user, caller.sessionId, body.current_password, body.new_password);
      return reply.code(204).send();
    },
  );

  app.post(
    '/auth/password/forgot',
    {
      schema: { summary: 'Sends a link by mail if the address is known.', body: PasswordForgotBody },
      preHandler: [limit('resetRequestsPerNetwork', networkOf), limit('resetRequestsPerAddress', typedEmail)],
    },
    async ({ body }, reply) => {
      await passwordReset.request(body.email, linkOrigin());
      return reply.code(202).send({});
    },
  );

  app.post(
    '/auth/password/reset',
    {
      schema: { summary: 'Sets a new password by the token of a mail; every session ends.', body: PasswordResetBody },
      preHandler: limit('resetsPerNetwork', networkOf),
    },
    async ({ body }, reply) => {
      await passwordReset.complete(body.token, body.new_password);
      return reply.code(204).send();
    },
  );

  app.get(
    '/users/me',
    { schema: { summary: "The user's own account.", response: { 200: SelfAnswer } }, onRequest },
    async ({ caller }) => ({ user: toSelf(caller.user) }),
  );

  app.patch(
    '/users/me',
    {
      schema: { summary: 'Changes the profile or settings.', body: ProfileBody, response: { 200: SelfAnswer } },
      onRequest,
    },
    async ({ caller, body }) => ({
      user: toSelf(await serverTime.during(() => accounts.updateProfile(caller.user, body))),
    }),
  );

  app.delete(
    '/users/me',
    {
      schema: { summary: 'Deactivates the account.', body: DeleteAccountBody },
      onRequest,
      preHandler: checksPassword,
    },
    async ({ caller, body }, reply) => {
      await serverTime.during(() => accounts.deactivate(caller.user, body.password));
      return reply.code(204).send();
    },
  );

  app.get(
    '/.well-known/jwks.json',
    { schema: { summary: 'The public keys of access tokens (RFC 7517).' } },
    async (_request, reply) => reply.header('cache-control', 'public, max-age=300').send(tokens.jwks()),
  );

  /** Where links in mails lead. Never by the Host header, which is whatever the one who asks wrote. */
  function linkOrigin(): string {
    if (config.publicUrl !== undefined) return config.publicUrl;
    const { port } = fastify.server.address() as AddressInfo;
    return `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;
  }
}
