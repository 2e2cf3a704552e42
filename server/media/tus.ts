/** Resumable uploads by the tus protocol 1.0.0 (tus.io) at `/uploads`: creation, expiration, termination. */
import { PassThrough, Readable } from 'node:stream';
import { DataStore, ERRORS, MemoryLocker, Server, Upload } from '@tus/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ObjectId } from 'mongodb';
import type { Logger } from 'pino';
import { ERROR_STATUS, type ErrorCode, type WireError } from '../../shared/contract/errors.ts';
import { fromId } from '../model/codec.ts';
import { invalid } from '../lib/errors.ts';
import type { RateLimiter } from '../dispatch/rate-limits.ts';
import { callerOf, limited } from '../http/rate-limit.ts';
import { cleanFileName } from './file-name.ts';
import { drain } from './receive.ts';
import { RESUMABLE_MS, type ResumableUploads } from './resumable-uploads.ts';
import { UPLOAD_RATE } from './routes.ts';
import { toWireError } from '../dispatch/wire-error.ts';

const PATH = '/uploads';
const VERSION = '1.0.0';
const PIECE_TYPE = 'application/offset+octet-stream';
const ID = /^[0-9a-f]{24}$/;
const HEADERS = [
  'content-type',
  'content-length',
  'tus-resumable',
  'upload-length',
  'upload-offset',
  'upload-metadata',
];
/** The contract's codes for what the protocol refuses by itself. */
const CODES: Record<number, ErrorCode> = {
  404: 'not_found',
  409: 'conflict',
  410: 'not_found',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  500: 'internal',
};

export interface TusOptions {
  resumable: ResumableUploads;
  maxUploadBytes: number;
  /** The hook that sets `request.caller`. */
  authenticate(request: FastifyRequest): Promise<void>;
  rateLimiter: RateLimiter;
  log: Logger;
}

/** Registers the routes in a context of their own, in which no body is parsed. */
export function registerTusRoutes(app: FastifyInstance, options: TusOptions): void {
  const { resumable, authenticate, maxUploadBytes, rateLimiter, log } = options;
  const limit = limited(rateLimiter, 'uploads', UPLOAD_RATE, callerOf);
  const locker = new MemoryLocker();

  /** The protocol's server in the name of a user: it knows that user's uploads alone. */
  function serverOf(userId: ObjectId, onError: (error: unknown) => { status_code: number; body: string }): Server {
    const datastore = Object.assign(new DataStore(), {
      extensions: ['creation', 'creation-with-upload', 'expiration', 'termination'],
      getExpiration: () => RESUMABLE_MS,
      async create(upload: Upload) {
        const { kind, filename } = upload.metadata!;
        await resumable.begin(fromId(upload.id), {
          uploader_id: userId,
          kind: kind === 'media' ? 'media' : 'file',
          original_filename: filename!,
          size: upload.size!,
        });
        return upload;
      },
      async getUpload(id: string) {
        const found = ID.test(id) ? await resumable.find(fromId(id), userId) : undefined;
        if (!found) throw ERRORS.FILE_NOT_FOUND;
        const { size, offset, createdAt } = found;
        return new Upload({ id, size, offset, creation_date: createdAt.toISOString() });
      },
      write: (bytes: Readable, id: string, offset: number) => resumable.append(fromId(id), offset, bytes),
      async remove(id: string) {
        await datastore.getUpload(id);
        await resumable.discard(fromId(id));
      },
    });
    return new Server({
      path: PATH,
      datastore,
      locker,
      maxSize: maxUploadBytes,
      relativeLocation: true,
      namingFunction: () => new ObjectId().toHexString(),
      async onUploadCreate(_request, { metadata, size }) {
        const { kind = 'file', filename } = metadata ?? {};
        if (!filename) throw invalid('filename', 'is missing in Upload-Metadata');
        if (kind !== 'file' && kind !== 'media') throw invalid('kind', 'must be media or file');
        if (!Number.isSafeInteger(size) || size === 0) throw invalid('upload-length', 'must be the size of a file');
        return { metadata: { kind, filename: cleanFileName(filename) } };
      },
      onResponseError: (_request, error) => onError(error),
    });
  }

  async function handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const status = statusOfOtherProtocol(request);
    if (status !== undefined) {
      await drain(request);
      const error = errorOf(status, status === 412 ? 'another version of the protocol' : `must be ${PIECE_TYPE}`);
      return refuse(reply.headers({ 'tus-resumable': VERSION, 'tus-version': VERSION }), status, error);
    }
    let refusal: WireError | undefined;
    const server = serverOf(request.caller.userId, (error) => {
      const { status_code, body } = error as { status_code?: number; body?: string };
      refusal = status_code ? errorOf(status_code, body ?? '') : toWireError(error, `${request.method} ${PATH}`, log);
      return { status_code: status_code ?? ERROR_STATUS[refusal.code], body: '' };
    });
    const response = await server.handleWeb(toWebRequest(request));
    if (request.method !== 'HEAD') await drain(request);
    for (const [name, value] of response.headers) {
      // Other origins are the business of the server's own rule.
      if (!name.startsWith('access-control-') && name !== 'content-length') reply.header(name, value);
    }
    if (response.status < 400) return reply.code(response.status).send();
    return refuse(reply, response.status, refusal ?? errorOf(response.status, await response.text()));
  }

  app.register(async (routes) => {
    routes.removeAllContentTypeParsers();
    routes.addContentTypeParser('*', (_request, _payload, done) => done(null));
    routes.post(PATH, { onRequest: [authenticate, limit] }, handle);
    routes.route({ method: ['HEAD', 'PATCH', 'DELETE'], url: `${PATH}/:id`, onRequest: authenticate, handler: handle });
    routes.options(PATH, (_request, reply) =>
      reply
        .headers({ 'tus-resumable': VERSION, 'tus-version': VERSION, 'tus-max-size': maxUploadBytes })
        .header('tus-extension', 'creation,creation-with-upload,expiration,termination')
        .code(204)
        .send(),
    );
  });
}

/**
 * The status for a request of another version of the protocol, or of a piece that is not sent as one: the protocol's
 * server would take either for a malformed header. Undefined when it is neither.
 */
function statusOfOtherProtocol({ method, headers }: FastifyRequest): number | undefined {
  const version = headers['tus-resumable'];
  if (version !== undefined && version !== VERSION) return 412;
  return method === 'PATCH' && headers['content-type'] !== PIECE_TYPE ? 415 : undefined;
}

/** What the protocol's server refuses, in the contract's form. */
function errorOf(status: number, text: string): WireError {
  const code = CODES[status] ?? 'validation_failed';
  const message = text.trim();
  return { code, message, ...(code === 'validation_failed' ? { details: [{ path: '', message }] } : {}) };
}

/** Sends an error; 403 is what the protocol's server says of a missing header, which is no matter of rights. */
function refuse(reply: FastifyReply, status: number, error: WireError): FastifyReply {
  return reply
    .code(status === 403 ? 400 : status)
    .type('application/json; charset=utf-8')
    .send({ error });
}

/** A request as the protocol's server takes it. Its body is a copy, so that it may be left alone, or break off. */
function toWebRequest({ raw, method, url, headers }: FastifyRequest): Request {
  const relevant = HEADERS.flatMap((name): [string, string][] => {
    const value = headers[name];
    return typeof value === 'string' ? [[name, value]] : [];
  });
  const target = new URL(url, 'http://localhost');
  if (method === 'HEAD' || method === 'DELETE') return new Request(target, { method, headers: relevant });
  const body = new PassThrough();
  body.on('error', () => {});
  raw.pipe(body);
  raw.once('close', () => {
    if (!raw.readableEnded) body.destroy(new Error('the request broke off'));
  });
  return new Request(target, {
    method,
    headers: relevant,
    body: Readable.toWeb(body) as ReadableStream,
    duplex: 'half',
  });
}
