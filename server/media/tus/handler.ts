/** Answers requests at `/uploads` by the tus protocol. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { toWireError } from '../../dispatch/wire-error.ts';
import { drain } from '../upload/drain.ts';
import { EXTENSIONS, PATH, VERSION } from './protocol.ts';
import { contractRefusal, type Refusal, refusalOf, refusalOfHeaders, sendRefusal } from './refusals.ts';
import { toWebRequest } from './request.ts';
import type { TusServerOf, TusServerOptions } from './server.ts';

const VERSION_HEADERS = { 'tus-resumable': VERSION, 'tus-version': VERSION };

export interface TusHandlerOptions extends TusServerOptions {
  log: Logger;
}

export interface TusHandler {
  /** Answers POST, HEAD, PATCH and DELETE. */
  handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>;
  /** Answers OPTIONS: what this server speaks. */
  describe(request: FastifyRequest, reply: FastifyReply): FastifyReply;
}

export function createTusHandler({ log, ...options }: TusHandlerOptions): TusHandler {
  let loading: Promise<TusServerOf> | undefined;
  /** Loaded with the first upload: what the tus server brings along takes memory that many servers never need. */
  const load = () => (loading ??= import('./server.ts').then(({ createTusServers }) => createTusServers(options)));

  /** Lets the tus server answer. @returns its response, and the refusal if it is one */
  async function ask(request: FastifyRequest): Promise<{ response: Response; refusal: Refusal | undefined }> {
    let refusal: Refusal | undefined;
    const server = (await load())(request.caller.userId, (error) => {
      refusal =
        'status_code' in error && error.status_code
          ? refusalOf(error.status_code, error.body ?? '')
          : contractRefusal(toWireError(error, `${request.method} ${PATH}`, log));
      return refusal.status;
    });
    const response = await server.handleWeb(toWebRequest(request));
    if (response.status >= 400) refusal ??= refusalOf(response.status, await response.text());
    return { response, refusal };
  }

  return {
    async handle(request, reply) {
      const early = refusalOfHeaders(request);
      if (early) {
        await drain(request);
        return sendRefusal(reply.headers(VERSION_HEADERS), early);
      }
      const { response, refusal } = await ask(request);
      if (request.method !== 'HEAD') await drain(request);
      for (const [name, value] of response.headers) {
        // The server's own rule decides about other origins.
        if (!name.startsWith('access-control-') && name !== 'content-length') reply.header(name, value);
      }
      return refusal ? sendRefusal(reply, refusal) : reply.code(response.status).send();
    },
    describe: (_request, reply) =>
      reply
        .headers({
          ...VERSION_HEADERS,
          'tus-max-size': options.maxUploadBytes,
          'tus-extension': EXTENSIONS.join(','),
        })
        .code(204)
        .send(),
  };
}
