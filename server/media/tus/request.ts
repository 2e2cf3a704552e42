/** Requests in the form that the tus server takes. */
import { finished, PassThrough, Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';

/** The headers that the tus server may see; the others are ours. */
const HEADERS = [
  'content-type',
  'content-length',
  'tus-resumable',
  'upload-length',
  'upload-offset',
  'upload-metadata',
];

export function toWebRequest({ raw, method, url, headers }: FastifyRequest): Request {
  const relevant = HEADERS.flatMap((name): [string, string][] => {
    const value = headers[name];
    return typeof value === 'string' ? [[name, value]] : [];
  });
  const target = new URL(url, 'http://localhost');
  if (method === 'HEAD' || method === 'DELETE') return new Request(target, { method, headers: relevant });
  const body = Readable.toWeb(copyOf(raw)) as ReadableStream;
  return new Request(target, { method, headers: relevant, body, duplex: 'half' });
}

/**
 * A copy of a request's body, which can be abandoned without touching the request. Fails when the request breaks off,
 * or has done so before: while its bearer was looked up, say.
 */
function copyOf(raw: FastifyRequest['raw']): PassThrough {
  const body = new PassThrough();
  body.on('error', () => {});
  raw.pipe(body);
  finished(raw, { writable: false }, (error) => {
    if (error) body.destroy(new Error('the request broke off'));
  });
  return body;
}
