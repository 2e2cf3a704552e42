/** JSON bodies. Except for uploads they are the only ones; any other content type is answered 415. */
import type { FastifyInstance } from 'fastify';
import { invalid } from '../lib/errors.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Parses JSON in UTF-8. An empty body counts as none, whatever its headers announce. */
export function applyJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => {
    if (body.length === 0) return undefined;
    try {
      return JSON.parse(UTF8.decode(body));
    } catch {
      throw invalid('', 'must be JSON in UTF-8');
    }
  });
}
