/** The routes of uploads (PROTOCOL section 9): what each takes, who may call it and how often, and its handler. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RateLimiter } from '../dispatch/rate-limits.ts';
import { callerOf, limited, paysForItself } from '../http/rate-limit.ts';
import type { Kind } from './documents/kinds.ts';
import type { createGet } from './read/get.ts';
import type { createRemove } from './remove/remove.ts';
import { schemasOf, thumbnailSchema, tusSchemas } from './route-schemas.ts';
import type { TusHandler } from './tus/handler.ts';
import { PATH } from './tus/protocol.ts';
import type { createPost } from './upload/post.ts';
import { requireMultipart } from './upload/receive.ts';

/** Of routes that move bytes. */
const TRANSFERS = { config: { transfers: true } };
/** Per user, over all routes that begin an upload (PROTOCOL section 10). */
const UPLOAD_RATE = { count: 60, per: 60_000 };

type Hook = (request: FastifyRequest) => Promise<void>;

interface WithId {
  Params: { id: string };
}

export interface KindHandlers {
  post: ReturnType<typeof createPost>;
  get: ReturnType<typeof createGet>;
  remove: ReturnType<typeof createRemove>;
}

export interface MediaRoutesOptions {
  handlers: Record<Kind['name'], KindHandlers>;
  tus: TusHandler;
  /** Sets `request.caller`. */
  authenticate: Hook;
  /** Sets `request.readerId`. */
  identifyReader: Hook;
  rateLimiter: RateLimiter;
  /** Throws ContractError `unavailable` when the disk has no room for uploads. */
  requireRoom(): void;
}

export function registerMediaRoutes(app: FastifyInstance, options: MediaRoutesOptions): void {
  const { handlers, authenticate, identifyReader } = options;
  const limit = limited(options.rateLimiter, 'uploads', UPLOAD_RATE, callerOf, paysForItself);
  const room: Hook = async () => options.requireRoom();
  // A context of its own: nothing else takes multipart bodies. The handlers read them.
  app.register(async (routes) => {
    routes.addContentTypeParser('multipart/form-data', (_request, _payload, done) => done(null));
    registerKind(routes, 'media', handlers.media, options, [authenticate, limit, room]);
    registerKind(routes, 'file', handlers.file, options, [authenticate, limit, room]);
    routes.route<WithId>({
      method: ['GET', 'HEAD'],
      url: '/media/:id/thumbnail',
      schema: thumbnailSchema,
      onRequest: identifyReader,
      ...TRANSFERS,
      handler: handlers.media.get.thumbnail,
    });
  });
  registerTus(app, options, { begin: [authenticate, limit, room], append: [authenticate, room] });
}

function registerKind(
  routes: FastifyInstance,
  kind: Kind['name'],
  { post, get, remove }: KindHandlers,
  { authenticate, identifyReader }: MediaRoutesOptions,
  begin: Hook[],
): void {
  const path: Kind['path'] = kind === 'media' ? '/media' : '/files';
  const schemas = schemasOf(kind);
  routes.post(path, { schema: schemas.post, onRequest: [...begin, requireMultipart], ...TRANSFERS }, post);
  routes.route<WithId>({
    method: ['GET', 'HEAD'],
    url: `${path}/:id`,
    schema: schemas.bytes,
    onRequest: identifyReader,
    ...TRANSFERS,
    handler: get.bytes,
  });
  routes.get<WithId>(`${path}/:id/info`, { schema: schemas.info, onRequest: authenticate }, get.info);
  routes.post<WithId>(`${path}/:id/link`, { schema: schemas.link, onRequest: authenticate }, get.link);
  routes.delete<WithId>(`${path}/:id`, { schema: schemas.remove, onRequest: authenticate }, remove);
}

/** In a context of its own, where Fastify parses no body. */
function registerTus(
  app: FastifyInstance,
  { tus, authenticate }: MediaRoutesOptions,
  { begin, append }: { begin: Hook[]; append: Hook[] },
): void {
  app.register(async (routes) => {
    routes.removeAllContentTypeParsers();
    routes.addContentTypeParser('*', (_request, _payload, done) => done(null));
    routes.post(PATH, { schema: tusSchemas.begin, onRequest: begin, ...TRANSFERS }, tus.handle);
    routes.patch(`${PATH}/:id`, { schema: tusSchemas.append, onRequest: append, ...TRANSFERS }, tus.handle);
    routes.head(`${PATH}/:id`, { schema: tusSchemas.offset, onRequest: authenticate }, tus.handle);
    routes.delete(`${PATH}/:id`, { schema: tusSchemas.abandon, onRequest: authenticate }, tus.handle);
    routes.options(PATH, { schema: tusSchemas.describe }, tus.describe);
  });
}
