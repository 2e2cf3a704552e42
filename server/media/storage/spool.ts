/** Writes what clients send to temporary files. */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { ContractError } from '../../lib/errors.ts';
import type { Pace } from './pace.ts';

/** Options for new files: never an existing one, and readable by the server's user only. */
export const NEW_FILE = { flags: 'wx', mode: 0o600 } as const;

export interface SpoolTarget {
  file: string;
  /** The most bytes accepted; nothing above is written. */
  maxBytes: number;
  /** Called after each piece. */
  rest: Pace['rest'];
}

/**
 * Writes a stream to a new file, as fast as the disk takes it.
 * @returns the size in bytes
 * @throws ContractError `payload_too_large` above `maxBytes`
 */
export async function spool(source: AsyncIterable<Buffer>, { file, maxBytes, rest }: SpoolTarget): Promise<number> {
  let size = 0;
  const counted = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > maxBytes) throw new ContractError('payload_too_large', `more than ${maxBytes} bytes`);
      yield chunk;
      await rest(chunk.length);
    }
  };
  await pipeline(source, counted, createWriteStream(file, NEW_FILE));
  return size;
}
