/** Serves stored bytes over HTTP: validators, ranges, and headers that leave nothing for a browser to guess. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WireError } from '../../../shared/contract/errors.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { notFound } from '../../lib/errors.ts';
import { type MediaStorage, NotStored } from '../storage/storage.ts';
import { parseRange } from './byte-range.ts';

export interface Served {
  key: string;
  /** Bytes. */
  size: number;
  mimeType: string;
  /** The `Content-Disposition` header. */
  disposition: string;
}

/** Should a browser ever take an upload for a page, that page can neither run nor load anything. */
const CONTENT_SECURITY_POLICY = "default-src 'none'; sandbox";

/**
 * Answers a GET or HEAD with 200, 206, 304 or 416.
 * @param onRead called just before bytes from the first on are sent
 * @throws ContractError `not_found` when the bytes are gone
 */
export async function serve(
  request: FastifyRequest,
  reply: FastifyReply,
  storage: MediaStorage,
  { key, size, mimeType, disposition }: Served,
  onRead: () => void,
): Promise<FastifyReply> {
  // The bytes under a key never change.
  const etag = `"${key}"`;
  reply.headers({
    etag,
    // Browsers ask before each use of their copy: the right to read may have ended.
    'cache-control': 'private, no-cache',
    'accept-ranges': 'bytes',
    'content-security-policy': CONTENT_SECURITY_POLICY,
  });
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send();
  reply.headers({ 'content-type': mimeType, 'content-disposition': disposition, 'content-length': size });
  // Ranges are defined for GET only (RFC 9110, section 14.2).
  if (request.method === 'HEAD') return reply.send();

  const ifRange = request.headers['if-range'];
  const asked = ifRange === undefined || ifRange === etag ? request.headers.range : undefined;
  const range = parseRange(asked, size);
  if (range === 'unsatisfiable') return refuseRange(reply, size);
  const { start, end } = range ?? { start: 0, end: size };
  const bytes = await withDeadline(storage.read(key, { start, end })).catch((error: unknown) => {
    throw error instanceof NotStored ? notFound('no such upload') : error;
  });
  if (start === 0) onRead();
  if (range) reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${size}`);
  return reply.header('content-length', end - start).send(bytes);
}

function refuseRange(reply: FastifyReply, size: number): FastifyReply {
  for (const name of ['content-disposition', 'content-length', 'etag']) reply.removeHeader(name);
  const error: WireError = {
    code: 'validation_failed',
    message: 'the range begins beyond the end of the upload',
    details: [],
  };
  return reply
    .code(416)
    .headers({ 'content-range': `bytes */${size}`, 'content-type': 'application/json; charset=utf-8' })
    .send({ error });
}

/** Whether an `If-None-Match` names the entity (RFC 9110, section 13.1.2: weak comparison). */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}
