import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import type { SigningKey } from '../jwt/signing-key.ts';

const KeySet = Type.Object({ keys: Type.Array(Type.Record(Type.String(), Type.Unknown())) });

/** Registers the JWK set (RFC 7517) with the public keys of access tokens; it is empty with symmetric signing. */
export function registerKeyRoutes(fastify: FastifyInstance, { publicJwks }: Pick<SigningKey, 'publicJwks'>): void {
  const keySet = { keys: [...publicJwks] };

  fastify.get(
    '/.well-known/jwks.json',
    {
      schema: {
        summary: 'The public keys of access tokens (RFC 7517).',
        description: 'Empty where tokens are signed with a secret.',
        response: { 200: KeySet },
        example: {
          answer: {
            keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', kid: '1' }],
          },
        },
      },
    },
    async (_request, reply) => reply.header('cache-control', 'public, max-age=300').send(keySet),
  );
}
