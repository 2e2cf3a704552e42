/** Uploads over HTTP (PROTOCOL section 9). */
import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Collection } from 'mongodb';
import type { Logger } from 'pino';
import Type from 'typebox';
import { Closed, Id } from '../../shared/contract/values.ts';
import type { Config } from '../config.ts';
import type { Collections } from '../model/collections.ts';
import type { FileDocument, MediaDocument } from '../model/documents.ts';
import { fromId } from '../model/codec.ts';
import { forbidden, notFound } from '../lib/errors.ts';
import type { RateLimiter } from '../dispatch/rate-limits.ts';
import { callerOf, limited } from '../http/rate-limit.ts';
import { type Counter, createCounter } from './counters.ts';
import { contentDisposition } from './file-name.ts';
import type { Links } from './links.ts';
import { toWireFile, toWireMedia } from './media-view.ts';
import type { Pace } from './pace.ts';
import type { Reading } from './reading.ts';
import { receive, requireMultipart } from './receive.ts';
import type { Removal } from './removal.ts';
import { serve } from './serve.ts';
import type { MediaStorage } from './storage.ts';
import type { TemporaryFolder } from './temporary-files.ts';
import { keyOf, type Upload, type Uploads } from './uploads.ts';

/** Per user (PROTOCOL section 10). */
export const UPLOAD_RATE = { count: 60, per: 60_000 };

const Params = Closed({ id: Id });
const LinkQuery = Closed({ token: Type.Optional(Type.String({ maxLength: 4096 })) });

interface WithId {
  Params: { id: string };
}

export interface MediaRoutesOptions {
  collections: Collections;
  uploads: Uploads;
  reading: Reading;
  removal: Removal;
  links: Links;
  storage: MediaStorage;
  temporary: TemporaryFolder;
  pace: Pace;
  /** The hook that sets `request.caller`. */
  authenticate(request: FastifyRequest): Promise<void>;
  rateLimiter: RateLimiter;
  config: Pick<Config, 'maxUploadBytes' | 'publicUrl'>;
  log: Logger;
}

/** Registers `/media` and `/files` in a context of their own: nothing else takes multipart bodies. */
export function registerMediaRoutes(app: FastifyInstance, options: MediaRoutesOptions): void {
  const { collections, uploads, log } = options;
  app.register(async (routes) => {
    await routes.register(multipart);
    registerKind(routes, options, {
      path: '/media',
      collection: collections.media,
      counter: createCounter(collections.media, 'view_count', log),
      accept: uploads.acceptMedia,
      toAnswer: (document) => ({ media: toWireMedia(document) }),
      disposition: 'inline',
    });
    registerKind(routes, options, {
      path: '/files',
      collection: collections.files,
      counter: createCounter(collections.files, 'download_count', log),
      accept: uploads.acceptFile,
      toAnswer: (document) => ({ file: toWireFile(document) }),
      disposition: 'attachment',
    });
    registerThumbnails(routes, options);
  });
}

/** What is different between media and files. */
interface Kind<D extends MediaDocument | FileDocument> {
  path: '/media' | '/files';
  collection: Collection<D>;
  counter: Counter;
  accept(upload: Upload): Promise<D>;
  toAnswer(document: D): object;
  disposition: 'inline' | 'attachment';
}

function registerKind<D extends MediaDocument | FileDocument>(
  app: FastifyInstance,
  options: MediaRoutesOptions,
  { path, collection, counter, accept, toAnswer, disposition }: Kind<D>,
): void {
  const { authenticate, reading, removal, links, storage, temporary, config } = options;
  const withId = { schema: { params: Params }, onRequest: authenticate };
  const limit = limited(options.rateLimiter, 'uploads', UPLOAD_RATE, callerOf);

  app.post(path, { onRequest: [authenticate, limit, requireMultipart] }, (request, reply) =>
    temporary.with(async (files) => {
      const received = await receive(request, {
        file: files.newPath(),
        maxBytes: config.maxUploadBytes,
        rest: options.pace.rest,
      });
      const document = await accept({ uploaderId: request.caller.userId, received, files });
      return reply.code(201).send(toAnswer(document));
    }),
  );

  app.route<WithId>({
    method: ['GET', 'HEAD'],
    url: `${path}/:id`,
    schema: { params: Params, querystring: LinkQuery },
    onRequest: reading.identify,
    async handler(request, reply) {
      const document = await reading.find(collection, request.params.id, request.readerId);
      const served = {
        key: keyOf(document.filename),
        size: document.file_size,
        mimeType: document.mime_type,
        disposition: contentDisposition(disposition, document.original_filename),
      };
      return serve(request, reply, storage, served, () => {
        if (!document.uploader_id.equals(request.readerId)) counter.count(document._id);
      });
    },
  });

  app.get<WithId>(`${path}/:id/info`, withId, async ({ params, caller }) => {
    await counter.settled(fromId(params.id));
    return toAnswer(await reading.find(collection, params.id, caller.userId));
  });

  app.post<WithId>(`${path}/:id/link`, withId, async (request) => {
    const { id } = request.params;
    await reading.find(collection, id, request.caller.userId);
    const { token, expiresAt } = await links.issue(request.caller.id, id);
    const base = config.publicUrl ?? `${request.protocol}://${request.host}`;
    return { url: `${base}${path}/${id}?token=${token}`, expires_at: expiresAt.toISOString() };
  });

  app.delete<WithId>(`${path}/:id`, withId, async ({ params, caller }, reply) => {
    if (!(await removal.remove(collection, fromId(params.id), caller.userId))) {
      await reading.find(collection, params.id, caller.userId);
      throw forbidden('only the uploader deletes an upload');
    }
    return reply.code(204).send();
  });
}

function registerThumbnails(app: FastifyInstance, { collections, reading, storage }: MediaRoutesOptions): void {
  app.route<WithId>({
    method: ['GET', 'HEAD'],
    url: '/media/:id/thumbnail',
    schema: { params: Params, querystring: LinkQuery },
    onRequest: reading.identify,
    async handler(request, reply) {
      const document = await reading.find(collections.media, request.params.id, request.readerId);
      const { thumbnail, thumbnail_size: size } = document;
      if (thumbnail === undefined || size === undefined) throw notFound('there is no thumbnail');
      const served = { key: keyOf(thumbnail), size, mimeType: 'image/webp', disposition: 'inline' };
      return serve(request, reply, storage, served, () => {});
    },
  });
}
