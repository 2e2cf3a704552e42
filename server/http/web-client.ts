/** Serves the web client that `build.mjs` has put into dist/web/: its page at `/`, its files beside that. */
import type { FastifyInstance } from 'fastify';
import { projectFile } from '../lib/project-file.ts';
import { createFolder } from './static-files.ts';

const PAGE = 'index.html';

export function registerWebClient(app: FastifyInstance): void {
  const send = createFolder(projectFile('dist/web/'));
  const schema = { hide: true };
  app.get('/', { schema }, (request, reply) => send(request, reply, PAGE));
  // The address of an invitation (`PUBLIC_URL/join/<code>`): the page finds the code in it.
  app.get('/join/:code', { schema }, (request, reply) => send(request, reply, PAGE));
  app.get<{ Params: { file: string } }>('/:file', { schema }, (request, reply) =>
    send(request, reply, request.params.file),
  );
}
