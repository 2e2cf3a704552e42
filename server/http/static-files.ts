/**
 * Serves a folder of built files. They are read when somebody asks for them, so a server whose clients are apps of their
 * own holds nothing of it.
 */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  webmanifest: 'application/manifest+json',
};
/** Compressed forms lie beside a file, by this ending; the smaller one first. */
const ENCODINGS: [name: string, ending: string][] = [
  ['br', '.br'],
  ['gzip', '.gz'],
];
/** What has a hash of its content in its name never changes. */
const HASHED = /-[0-9A-Z]{8}\.(js|css)$/;
const FOREVER = 'public, max-age=31536000, immutable';
const ASK_EACH_TIME = 'no-cache';

/**
 * Registers a route for each file of a folder; `index.html` is at `/`.
 * @throws Error when there is no such folder
 */
export function serveFolder(app: FastifyInstance, folder: URL): void {
  const names = readdirSync(folder);
  for (const name of names.filter((one) => !ENCODINGS.some(([, ending]) => one.endsWith(ending)))) {
    const encodings = ENCODINGS.filter(([, ending]) => names.includes(`${name}${ending}`));
    const type = TYPES[name.split('.').at(-1)!] ?? 'application/octet-stream';
    const caching = HASHED.test(name) ? FOREVER : ASK_EACH_TIME;
    const answer = async (request: FastifyRequest, reply: FastifyReply) => {
      const [encoding, ending] = encodings.find(([one]) => accepts(request, one)) ?? [undefined, ''];
      const bytes = await readFile(new URL(`${name}${ending}`, folder));
      const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
      reply.headers({ 'cache-control': caching, etag, vary: 'Accept-Encoding, Origin' });
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      if (encoding) reply.header('content-encoding', encoding);
      return reply.type(type).send(bytes);
    };
    app.get(name === 'index.html' ? '/' : `/${name}`, { schema: { hide: true } }, answer);
  }
}

/** Whether a client takes an encoding (RFC 9110, section 12.5.3): named, and not with a weight of zero. */
function accepts({ headers }: FastifyRequest, encoding: string): boolean {
  const named = String(headers['accept-encoding'] ?? '')
    .split(',')
    .map((part) =>
      part
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/),
    );
  return named.some(([name, weight = 'q=1']) => name === encoding && Number(weight.slice(2)) > 0);
}
