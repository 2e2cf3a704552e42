/** Where a running database listens, noted in its folder for other programs of the same user. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = 'address';

/** @param folder locked by the caller */
export async function noteAddress(folder: string, url: string): Promise<void> {
  await writeFile(join(folder, NAME), url, { mode: 0o600 });
}

/** @param folder locked by the caller */
export async function forgetAddress(folder: string): Promise<void> {
  await rm(join(folder, NAME), { force: true });
}

/** @returns where whoever has locked the folder listens; undefined while it does not yet, or no more */
export async function notedAddress(folder: string): Promise<string | undefined> {
  return readFile(join(folder, NAME), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
