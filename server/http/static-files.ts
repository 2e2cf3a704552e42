/**
 * Files that a build has made. They are looked up on request, so a server whose clients are apps of their own holds
 * none of them, and one that keeps running while they are built anew serves the new ones.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { acceptsEncoding } from '../lib/accepted-encoding.ts';
import { notFound } from '../lib/errors.ts';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
};
/** Names that lead to nowhere else. */
const NAME = /^(?:[\w-]+\/)*[\w-]+\.\w+$/;
/** Compressed forms lie beside a file, or in its place, by this ending; the smaller one first. */
const FORMS: [encoding: string | undefined, ending: string][] = [
  ['br', '.br'],
  ['gzip', '.gz'],
  [undefined, ''],
];
/** A file with a hash of its content in its name never changes. */
const HASHED = /-[0-9A-Z]{8}\.(js|css)$/;
const FOREVER = 'public, max-age=31536000, immutable';
const ASK_EACH_TIME = 'no-cache';

interface Found {
  etag: string;
  /** Undefined where they are not needed. */
  bytes: Buffer | undefined;
}

/**
 * @param folder where the files lie
 * @returns answers with the file of a name, or with 304 to whoever has it. @throws ContractError `not_found`
 */
export function createFolder(
  folder: URL,
): (request: FastifyRequest, reply: FastifyReply, name: string) => Promise<FastifyReply> {
  /** The tags of files by name, valid while size and time stay the same. */
  const tags = new Map<string, { version: string; etag: string }>();

  /** @param had the tags that the client has. @returns undefined where there is no such file */
  async function find(name: string, had: string | undefined): Promise<Found | undefined> {
    const file = await open(new URL(name, folder)).catch(() => undefined);
    if (!file) return undefined;
    try {
      const { mtimeMs, size } = await file.stat();
      const version = `${mtimeMs} ${size}`;
      const known = tags.get(name);
      if (known?.version === version && had?.includes(known.etag)) return { etag: known.etag, bytes: undefined };
      const bytes = await file.readFile();
      if (known?.version === version) return { etag: known.etag, bytes };
      const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
      tags.set(name, { version, etag });
      return { etag, bytes };
    } finally {
      await file.close();
    }
  }

  return async (request, reply, name) => {
    const type = TYPES[extname(name)];
    if (!type || !NAME.test(name)) throw notFound('no such route');
    const { 'accept-encoding': accepted, 'if-none-match': had } = request.headers;
    for (const [encoding, ending] of FORMS) {
      if (encoding && !acceptsEncoding(accepted, encoding)) continue;
      const found = await find(`${name}${ending}`, had);
      if (found) return answer(reply, found, { had, type, encoding, name });
    }
    // Some are there only in compressed form.
    const packed = await find(`${name}.gz`, undefined);
    if (!packed) throw notFound('no such route');
    const bytes = await promisify(gunzip)(packed.bytes!);
    return answer(reply, { etag: `W/${packed.etag}`, bytes }, { had, type, encoding: undefined, name });
  };
}

function answer(
  reply: FastifyReply,
  { etag, bytes }: Found,
  { had, type, encoding, name }: { had: string | undefined; type: string; encoding: string | undefined; name: string },
): FastifyReply {
  const caching = HASHED.test(name) ? FOREVER : ASK_EACH_TIME;
  reply.headers({ 'cache-control': caching, etag, vary: 'Accept-Encoding, Origin' });
  if (had?.includes(etag)) return reply.code(304).send();
  if (encoding) reply.header('content-encoding', encoding);
  return reply.type(type).send(bytes);
}
