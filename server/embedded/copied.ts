/** Fetches a copy of the database from the process that has it. */
import { chmod, copyFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { copiedFile, removeCopy } from './storage/copy.ts';

/**
 * Has a running database copied, with all that it has acknowledged.
 * @param dataDir its folder
 * @param command sends it a command
 * @param target the folder of another database, which must exist and be empty
 * @throws what `command` throws, for example on a full disk; what the file system throws
 */
export async function fetchCopy(
  dataDir: string,
  command: (document: { copyDatabase: 1 }) => Promise<unknown>,
  target: string,
): Promise<void> {
  const folder = join(dataDir, 'database');
  await command({ copyDatabase: 1 });
  try {
    const [from, to] = [copiedFile(folder), join(target, 'data.mdb')];
    await rename(from, to).catch(async (error: NodeJS.ErrnoException) => {
      // To another disk.
      if (error.code !== 'EXDEV') throw error;
      await copyFile(from, to);
    });
    await chmod(to, 0o600);
  } finally {
    removeCopy(folder);
  }
}
