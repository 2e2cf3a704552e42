import type { Readable } from 'node:stream';
import { ContractError } from '../../lib/errors.ts';
import { writeNewFile } from '../storage/new-file.ts';

/**
 * Writes a stream to a new file until it ends or breaks off. What arrived before a break is kept.
 * @param requireRoom called before each piece; ends the writing by throwing a ContractError
 * @returns the size in bytes
 * @throws Error when the disk fails; what `requireRoom` throws; the tus server's refusal (413) of more bytes than the
 *   upload has
 */
export async function writeUntilBreak(source: Readable, file: string, requireRoom: () => void): Promise<number> {
  let size = 0;
  async function* untilBreak() {
    try {
      // Left as it is after a failure here: the tus server would take a destroyed stream for a break.
      for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        requireRoom();
        yield chunk;
        size += chunk.length;
      }
    } catch (error) {
      if (error instanceof ContractError || (error as { status_code?: number }).status_code === 413) throw error;
    }
  }
  // A disk that fails ends the generator at its `yield`, where nothing is caught.
  await writeNewFile(file, untilBreak());
  return size;
}
