/** Serves the documentation site at `/docs`: pages that `build.mjs` has put into dist/docs/, read when they are asked for. */
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { notFound } from '../lib/errors.ts';
import { projectFile } from '../lib/project-file.ts';
import { sendPacked } from './published.ts';

const FOLDER = projectFile('dist/docs/');
/** Names that lead to nowhere else. */
const NAME = /^(?:[\w-]+\/)*[\w-]+\.(?:html|css|js|json)$/;
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
};
/** The pages load their own style and script, and ask this server alone. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; base-uri 'none'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; " +
  "img-src data:; script-src 'self'; style-src 'self'";

/** Registers `/docs` and what is below. Without a build there is nothing (`npm run dev` makes none). */
export function registerDocs(app: FastifyInstance): void {
  app.get('/docs', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/docs/', 301));

  app.get<{ Params: { '*': string } }>('/docs/*', async (request, reply) => {
    const name = request.params['*'] || 'index.html';
    if (!NAME.test(name)) throw notFound('no such page');
    const packed = await readFile(new URL(`${name}.gz`, FOLDER)).catch(() => {
      throw notFound('no such page');
    });
    reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
    return sendPacked(request, reply, { packed, type: TYPES[extname(name)]! });
  });
}
