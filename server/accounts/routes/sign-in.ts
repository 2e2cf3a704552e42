import type { FastifyInstance } from 'fastify';
import { LoginBody, RefreshBody, RegisterBody, SignedIn, Tokens } from '../../../shared/contract/accounts.ts';
import { signedIn, tokens } from '../../../shared/contract/examples.ts';
import { networkOf } from '../../http/rate-limit.ts';
import type { ContractTypes } from '../../http/server.ts';
import type { Register } from '../registration.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { SignIn } from '../sign-in.ts';
import type { AccountBudgets } from './budgets.ts';

export interface SignInRoutesOptions {
  register: Register;
  signIn: SignIn;
  budgets: AccountBudgets;
}

export interface RefreshRouteOptions {
  sessions: Sessions;
  budgets: AccountBudgets;
}

/** Registers the routes that begin sessions: registration and sign-in. */
export function registerSignInRoutes(fastify: FastifyInstance, options: SignInRoutesOptions): void {
  const { register, signIn, budgets } = options;
  const app = fastify.withTypeProvider<ContractTypes>();

  app.post(
    '/auth/register',
    {
      schema: {
        summary: 'Registers a user and signs in.',
        body: RegisterBody,
        response: { 201: SignedIn },
        errors: ['conflict'],
        example: {
          body: {
            username: 'ann',
            email: 'ann@example.com',
            password: 'correct horse battery',
            full_name: 'Ann Miller',
          },
          answer: signedIn,
        },
      },
      preHandler: budgets.registration,
    },
    async (request, reply) => reply.code(201).send(await register(request.body, networkOf(request))),
  );

  app.post(
    '/auth/login',
    {
      schema: {
        summary: 'Signs in by username or email.',
        body: LoginBody,
        response: { 200: SignedIn },
        errors: ['unauthenticated'],
        example: {
          body: { login: 'ann', password: 'correct horse battery', device_info: { platform: 'Android' } },
          answer: signedIn,
        },
      },
      preHandler: budgets.signIn,
    },
    (request) => signIn(request.body, networkOf(request)),
  );
}

/** Registers the route by which sessions go on. */
export function registerRefreshRoute(fastify: FastifyInstance, { sessions, budgets }: RefreshRouteOptions): void {
  fastify.withTypeProvider<ContractTypes>().post(
    '/auth/refresh',
    {
      schema: {
        summary: 'Exchanges a refresh token for new tokens.',
        body: RefreshBody,
        response: { 200: Tokens },
        errors: ['unauthenticated'],
        example: { body: { refresh_token: tokens.refresh_token }, answer: tokens },
      },
      preHandler: budgets.refresh,
    },
    (request) => sessions.refresh(request.body.refresh_token, networkOf(request)),
  );
}
