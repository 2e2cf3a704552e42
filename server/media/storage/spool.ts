/** Writes what clients send to temporary files. */
import { ContractError } from '../../lib/errors.ts';
import { writeNewFile } from './new-file.ts';
import type { Pace } from './pace.ts';

export interface SpoolTarget {
  file: string;
  /** The most bytes accepted; nothing above is written. */
  maxBytes: number;
  /** Called before each piece; ends the writing by throwing. */
  requireRoom(): void;
  /** Called after each piece. */
  rest: Pace['rest'];
}

/**
 * Writes a stream to a new file, as fast as the disk takes it.
 * @returns the size in bytes
 * @throws ContractError `payload_too_large` above `maxBytes`; what `requireRoom` throws
 */
export async function spool(source: AsyncIterable<Buffer>, target: SpoolTarget): Promise<number> {
  const { file, maxBytes, requireRoom, rest } = target;
  let size = 0;
  async function* counted() {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > maxBytes) throw new ContractError('payload_too_large', `more than ${maxBytes} bytes`);
      requireRoom();
      yield chunk;
      await rest(chunk.length);
    }
  }
  await writeNewFile(file, counted());
  return size;
}
