import type { FastifyInstance } from 'fastify';
import type { SigningKey } from '../jwt/signing-key.ts';

/** Registers the JWK set (RFC 7517) with the public key of access tokens; it is empty with symmetric signing. */
export function registerKeyRoutes(fastify: FastifyInstance, { publicJwk }: Pick<SigningKey, 'publicJwk'>): void {
  const keySet = { keys: publicJwk ? [publicJwk] : [] };

  fastify.get(
    '/.well-known/jwks.json',
    { schema: { summary: 'The public keys of access tokens (RFC 7517).' } },
    async (_request, reply) => reply.header('cache-control', 'public, max-age=300').send(keySet),
  );
}
