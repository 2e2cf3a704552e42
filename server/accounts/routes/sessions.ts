import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import { SessionList, SessionListQuery } from '../../../shared/contract/accounts.ts';
import { LATER, SENT, SESSION } from '../../../shared/contract/examples.ts';
import { Closed, Id, NoBody } from '../../../shared/contract/values.ts';
import { type AuthenticationHook, sessionOf } from '../../http/authentication.ts';
import type { ContractTypes } from '../../http/server.ts';
import { toWire } from '../../model/codec.ts';
import type { SessionDocument } from '../../model/documents/accounts.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import type { Sessions } from '../sessions/sessions.ts';

/** How many sessions are listed at a time. */
const PAGE = 100;

export interface SessionRoutesOptions {
  onRequest: AuthenticationHook;
  sessions: Sessions;
  store: SessionStore;
}

/** Registers the routes for a user's sessions: signing out, listing, ending one. */
export function registerSessionRoutes(fastify: FastifyInstance, options: SessionRoutesOptions): void {
  const { onRequest, sessions, store } = options;
  const app = fastify.withTypeProvider<ContractTypes>();

  app.post(
    '/auth/logout',
    { schema: { summary: 'Ends the session of the access token.', response: { 204: NoBody } }, onRequest },
    async ({ caller }, reply) => {
      await sessions.end(caller.id, sessionOf(caller));
      return reply.code(204).send();
    },
  );

  app.get(
    '/auth/sessions',
    {
      schema: {
        summary: "Lists the user's sessions, newest first, a hundred at a time.",
        querystring: SessionListQuery,
        response: { 200: SessionList },
        example: {
          answer: {
            sessions: [
              {
                session_id: SESSION,
                device_info: { platform: 'Android' },
                created_at: SENT,
                last_used_at: LATER,
                current: true,
              },
            ],
          },
        },
      },
      onRequest,
    },
    async ({ caller, query }) => {
      // One more than the page tells whether others follow.
      const found = await store.list(caller.id, PAGE + 1, query.before);
      const listed = found.slice(0, PAGE).map((session) => toListed(session, sessionOf(caller)));
      return { sessions: listed, ...(found.length > PAGE ? { has_more: true } : {}) };
    },
  );

  app.delete(
    '/auth/sessions/:session_id',
    {
      schema: {
        summary: "Ends one of the user's sessions.",
        params: Closed({ session_id: Id }),
        response: { 204: NoBody },
        errors: ['not_found'],
      },
      onRequest,
    },
    async ({ caller, params }, reply) => {
      await sessions.end(caller.id, params.session_id);
      return reply.code(204).send();
    },
  );
}

type ListedSession = Static<typeof SessionList>['sessions'][number];

function toListed(session: SessionDocument, currentId: string): ListedSession {
  const { _id, device_info = {}, created_at, last_used_at } = session;
  const listed = toWire({ session_id: _id, created_at, last_used_at });
  return { ...listed, device_info, current: listed.session_id === currentId };
}
