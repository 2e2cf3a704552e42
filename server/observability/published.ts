/** Serves documents that are made when somebody first asks for them. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { acceptsEncoding } from '../lib/accepted-encoding.ts';

/**
 * Answers 304 to clients that have it already, and uncompressed to those that do not take gzip.
 * @param packed JSON, compressed by gzip
 */
async function sendPacked(request: FastifyRequest, reply: FastifyReply, packed: Buffer): Promise<FastifyReply> {
  const etag = `"${createHash('sha256').update(packed).digest('base64url').slice(0, 22)}"`;
  reply.headers({ etag, 'cache-control': 'no-cache', vary: 'accept-encoding' });
  if (request.headers['if-none-match']?.includes(etag)) return reply.code(304).send();
  reply.type('application/json; charset=utf-8');
  if (acceptsEncoding(request.headers['accept-encoding'], 'gzip'))
    return reply.header('content-encoding', 'gzip').send(packed);
  return reply.send(await promisify(gunzip)(packed));
}

/**
 * @param make the document; called once
 * @returns a handler. It keeps the document compressed: that is a tenth of its size, and what nearly all clients take
 */
export function publish(
  make: () => Promise<object>,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  let packed: Promise<Buffer> | undefined;
  return async (request, reply) => {
    packed ??= make().then((document) => promisify(gzip)(JSON.stringify(document)));
    return sendPacked(request, reply, await packed);
  };
}
