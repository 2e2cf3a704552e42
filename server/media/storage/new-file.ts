import { open } from 'node:fs/promises';

/**
 * Writes pieces to a new file, readable by the server's user only. The file is there before the first piece is asked
 * for, and closed when this ends, however it ends: whoever removes it afterwards removes it for good.
 * @throws Error when the file exists already or the disk fails; what the pieces throw
 */
export async function writeNewFile(file: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    for await (const piece of pieces) await handle.appendFile(piece);
  } finally {
    await handle.close();
  }
}
