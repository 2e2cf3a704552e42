/** Routes of the operator's own back end, by which webhooks are set up (PROTOCOL section 14). */
import type { FastifyInstance } from 'fastify';
import { ANN, BOB, SENT } from '../../shared/contract/examples.ts';
import { Empty, NoBody } from '../../shared/contract/values.ts';
import { ReplayBody, WebhookAnswer, WebhookBody, WebhookList, WebhookParams } from '../../shared/contract/webhooks.ts';
import type { AuthenticationHook } from '../http/authentication.ts';
import type { ContractTypes } from '../http/server.ts';
import type { WebhookSetup } from './setup.ts';

const URL_OF_RECEIVER = 'https://example.org/hooks/chat';
const WEBHOOK = {
  name: 'orders',
  url: URL_OF_RECEIVER,
  types: ['message.new' as const],
  created_at: SENT,
  state: 'ok' as const,
  behind: 0,
};

/** @param onRequest asks for a server key */
export function registerWebhookRoutes(
  fastify: FastifyInstance,
  { onRequest, setup }: { onRequest: AuthenticationHook; setup: WebhookSetup },
): void {
  const app = fastify.withTypeProvider<ContractTypes>();

  app.put(
    '/server/webhooks/:name',
    {
      schema: {
        summary: 'Makes or replaces a webhook; the secret is told when it is made or rotated.',
        params: WebhookParams,
        body: WebhookBody,
        response: { 200: WebhookAnswer },
        example: {
          body: { url: URL_OF_RECEIVER, types: ['message.new'] },
          answer: { webhook: WEBHOOK, secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=' },
        },
      },
      onRequest,
    },
    async ({ params, body }) => setup.put(params.name, body),
  );

  app.get(
    '/server/webhooks',
    {
      schema: {
        summary: 'All webhooks, and how they fare.',
        response: { 200: WebhookList },
        example: { answer: { webhooks: [WEBHOOK] } },
      },
      onRequest,
    },
    async () => ({ webhooks: await setup.list() }),
  );

  app.delete(
    '/server/webhooks/:name',
    {
      schema: {
        summary: 'Removes a webhook, and what waits for it.',
        params: WebhookParams,
        response: { 204: NoBody },
        errors: ['not_found'],
      },
      onRequest,
    },
    async ({ params }, reply) => {
      await setup.remove(params.name);
      return reply.code(204).send();
    },
  );

  app.post(
    '/server/webhooks/:name/replay',
    {
      schema: {
        summary: 'Sends a conversation again, from above a rev.',
        params: WebhookParams,
        body: ReplayBody,
        response: { 202: Empty },
        errors: ['not_found'],
        example: { body: { conversation_id: `${ANN}-${BOB}`, after_rev: 0 }, answer: {} },
      },
      onRequest,
    },
    async ({ params, body }, reply) => {
      await setup.replay(params.name, body.conversation_id, body.after_rev);
      return reply.code(202).send({});
    },
  );
}
