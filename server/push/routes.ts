import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { notFound } from '../lib/errors.ts';

/**
 * Registers the route of the key that a browser is given when it subscribes.
 * @param publicKey raw, in base64url; undefined where Web Push is not set up
 */
export function registerPushRoutes(http: FastifyInstance, publicKey: string | undefined): void {
  const schema = {
    summary: 'The key for `PushManager.subscribe` (`applicationServerKey`).',
    response: { 200: Type.Object({ public_key: Type.String() }) },
    errors: ['not_found'] as const,
    example: {
      answer: {
        public_key: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
      },
    },
  };
  http.get('/push/vapid', { schema }, async () => {
    if (publicKey === undefined) throw notFound('Web Push is not set up');
    return { public_key: publicKey };
  });
}
