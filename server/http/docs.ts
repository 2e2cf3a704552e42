/** Serves the documentation site at `/docs`: pages that `build.mjs` has put into dist/docs/. */
import type { FastifyInstance } from 'fastify';
import { projectFile } from '../lib/project-file.ts';
import { createFolder } from './static-files.ts';

/** The pages load their own style and script, and ask this server alone. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; base-uri 'none'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; " +
  "img-src data:; script-src 'self'; style-src 'self'";

/** Registers `/docs` and what is below. Without a build there is nothing (`npm run dev` makes none). */
export function registerDocs(app: FastifyInstance): void {
  const send = createFolder(projectFile('dist/docs/'));
  app.get('/docs', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/docs/', 301));
  app.get<{ Params: { '*': string } }>('/docs/*', async (request, reply) => {
    reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
    return send(request, reply, request.params['*'] || 'index.html');
  });
}
