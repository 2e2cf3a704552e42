/** Reads a form of one part (multipart/form-data, RFC 7578) as it arrives. */
import { finished, type Readable } from 'node:stream';
import { Dicer } from '@fastify/busboy';
import type { FastifyRequest } from 'fastify';
import { parametersOf } from './header-parameters.ts';

/** The most headers of a part that are looked at. */
const MAX_HEADERS = 32;

export interface Part {
  /** By lower-case names; each byte is a character (Latin-1). */
  headers: Record<string, string[] | undefined>;
  content: Readable;
}

/**
 * @param take reads the content of the part to its end
 * @returns what `take` returned, once the form has ended as well
 * @throws what `take` throws; Error for a body that is no form of one part, or breaks off. Then `take` has ended, too
 */
export async function readSinglePart<T>(
  { raw, headers }: Pick<FastifyRequest, 'raw' | 'headers'>,
  take: (part: Part) => Promise<T>,
): Promise<T> {
  const boundary = parametersOf(headers['content-type'] ?? '').get('boundary');
  if (!boundary) throw new Error('the form has no boundary');
  const parser = new Dicer({ boundary, maxHeaderPairs: MAX_HEADERS });
  let content: Readable | undefined;
  let taken: Promise<T> | undefined;
  const ended = new Promise<void>((resolve, reject) => {
    parser.on('part', (part) => {
      // Whoever reads the part hears of its errors; nobody reads a part that breaks off within its headers.
      part.on('error', () => {});
      if (content) return reject(new Error('the form has more than one part'));
      content = part;
      part.once('header', (found) => {
        taken = take({ headers: found as Part['headers'], content: part });
        taken.catch(reject);
      });
    });
    parser.on('error', reject);
    parser.once('finish', resolve);
    // It may have broken off before, while its bearer was looked up.
    finished(raw, { writable: false }, (error) => error && reject(new Error('the request broke off')));
    raw.pipe(parser);
  });
  try {
    await ended;
    if (!taken) throw new Error('the form has no part');
    return await taken;
  } catch (error) {
    content?.destroy(error as Error);
    await taken?.catch(() => {});
    throw error;
  }
}
