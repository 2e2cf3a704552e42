/** Fetches a copy of the database from the process that has it. */
import { join } from 'node:path';
import { copyFolder, removeCopy } from './storage/copy.ts';
import { copyEntries } from './storage/copy-entries.ts';

/**
 * Has a running database copied, with all that it has acknowledged.
 * @param dataDir its folder
 * @param command sends it a command
 * @param target the folder of another database, which must have no file yet
 * @throws what `command` throws, for example on a full disk; what LMDB and the file system throw
 */
export async function fetchCopy(
  dataDir: string,
  command: (document: { copyDatabase: 1 }) => Promise<unknown>,
  target: string,
): Promise<void> {
  const folder = join(dataDir, 'database');
  await command({ copyDatabase: 1 });
  try {
    await copyEntries(copyFolder(folder), target);
  } finally {
    removeCopy(folder);
  }
}
