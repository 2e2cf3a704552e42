/** Storage on the local disk: for one node, or for nodes that share the folder. */
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { syncToDisk } from '../../lib/new-folder.ts';
import { type MediaStorage, NotStored } from './storage.ts';

/**
 * @param directory created if missing, readable by the server's user only. Files to store must be on the same file
 *   system
 */
export function createDiskStorage(directory: string): MediaStorage {
  // Spread over sub-folders: some file systems are slow with very many entries in one.
  const folderOf = (key: string) => path.join(directory, key.slice(0, 2));
  const pathOf = (key: string) => path.join(folderOf(key), key);

  return {
    async store(key, file) {
      await mkdir(folderOf(key), { recursive: true, mode: 0o700 });
      await syncToDisk(file);
      await rename(file, pathOf(key));
      await syncToDisk(folderOf(key));
    },
    async read(key, { start, end }) {
      try {
        const handle = await open(pathOf(key));
        return handle.createReadStream({ start, end: end - 1 });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new NotStored();
        throw error;
      }
    },
    remove: (key) => rm(pathOf(key), { force: true }),
  };
}
