/** JSON bodies: the only ones but uploads. Anything else is 415. */
import type { FastifyInstance } from 'fastify';
import { invalid } from '../lib/errors.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** An empty body is none, whatever the headers announce. */
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
