/** Stored bytes as an HTTP answer: validators, ranges, and headers that leave a browser nothing to guess. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WireError } from '../../shared/contract/errors.ts';
import { withDeadline } from '../lib/deadline.ts';
import { notFound } from '../lib/errors.ts';
import { parseRange } from './byte-range.ts';
import { type MediaStorage, NotStored } from './storage.ts';

export interface Served {
  key: string;
  /** Bytes. */
  size: number;
  mimeType: string;
  /** The `Content-Disposition` header. */
  disposition: string;
}

/** Should a browser ever take an upload for a page: it runs nothing and loads nothing. */
const CONTENT_SECURITY_POLICY = "default-src 'none'; sandbox";

/**
 * Answers a GET or HEAD: 200, 206, 304 or 416.
 * @param onRead called when the bytes from the first on are about to be sent
 * @throws ContractError `not_found` when the bytes are gone
 */
export async function serve(
  request: FastifyRequest,
  reply: FastifyReply,
  storage: MediaStorage,
  { key, size, mimeType, disposition }: Served,
  onRead: () => void,
): Promise<FastifyReply> {
  // Bytes never change under a key.
  const etag = `"${key}"`;
  reply.headers({
    etag,
    // Kept by the reader alone, who asks each time: the right to read can end.
    'cache-control': 'private, no-cache',
    'accept-ranges': 'bytes',
    'content-security-policy': CONTENT_SECURITY_POLICY,
  });
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send();
  reply.headers({ 'content-type': mimeType, 'content-disposition': disposition, 'content-length': size });
  // Ranges are defined for GET alone (RFC 9110, section 14.2).
  if (request.method === 'HEAD') return reply.send();

  const ifRange = request.headers['if-range'];
  const asked = ifRange === undefined || ifRange === etag ? request.headers.range : undefined;
  const range = parseRange(asked, size);
  if (range === 'unsatisfiable') {
    for (const name of ['content-disposition', 'content-length', 'etag']) reply.removeHeader(name);
    const error: WireError = { code: 'validation_failed', message: 'the range begins beyond the end', details: [] };
    return reply
      .code(416)
      .headers({ 'content-range': `bytes */${size}`, 'content-type': 'application/json; charset=utf-8' })
      .send({ error });
  }
  const { start, end } = range ?? { start: 0, end: size };
  const bytes = await withDeadline(storage.read(key, { start, end })).catch((error: unknown) => {
    throw error instanceof NotStored ? notFound('no such upload') : error;
  });
  if (start === 0) onRead();
  if (range) reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${size}`);
  return reply.header('content-length', end - start).send(bytes);
}

/** Whether an `If-None-Match` names the entity (RFC 9110, section 13.1.2: weak comparison). */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}
