import type { FastifyInstance } from 'fastify';
import { Closed, Id, NoBody } from '../../../shared/contract/values.ts';
import type { ServerTime } from '../../dispatch/server-time.ts';
import type { AuthenticationHook } from '../../http/authentication.ts';
import type { ContractTypes } from '../../http/server.ts';

export interface MessageRoutesOptions {
  requireServerKey: AuthenticationHook;
  /** @param dueAt when the answer is due, by `performance.now()` */
  deleteAsSender(messageId: string, dueAt: number): Promise<void>;
  serverTime: ServerTime;
}

/** Registers `DELETE /server/messages/:message_id`: moderation. */
export function registerMessageRoutes(fastify: FastifyInstance, options: MessageRoutesOptions): void {
  const { requireServerKey, deleteAsSender, serverTime } = options;

  fastify.withTypeProvider<ContractTypes>().delete(
    '/server/messages/:message_id',
    {
      schema: {
        summary: 'Deletes a message as its sender would.',
        params: Closed({ message_id: Id }),
        response: { 204: NoBody },
        errors: ['not_found'],
      },
      onRequest: requireServerKey,
    },
    async ({ params, dueAt }, reply) => {
      await serverTime.during(() => deleteAsSender(params.message_id, dueAt));
      return reply.code(204).send();
    },
  );
}
