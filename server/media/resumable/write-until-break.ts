import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { NEW_FILE } from '../storage/spool.ts';

/**
 * Writes a stream to a new file until it ends or breaks off. What arrived before a break is kept.
 * @returns the size in bytes
 * @throws Error when the disk fails; the tus server's refusal (413) of more bytes than the upload has
 */
export async function writeUntilBreak(source: Readable, file: string): Promise<number> {
  const target = await open(file, NEW_FILE.flags, NEW_FILE.mode);
  let size = 0;
  let diskFailure: unknown;
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      await target.appendFile(chunk).catch((error: unknown) => {
        diskFailure = error;
        throw error;
      });
      size += chunk.length;
    }
  } catch (error) {
    if (error === diskFailure || (error as { status_code?: number }).status_code === 413) throw error;
  } finally {
    await target.close();
  }
  return size;
}
