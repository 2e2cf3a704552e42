/** A folder that appears whole: it is filled under another name beside its place, and renamed at the end. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';

/**
 * @param target must not exist, or be empty
 * @param fill writes into the folder that it is given, which is for its owner alone; when it fails, nothing is left
 * @throws Error with a one-line message when there is something in the target; what `fill` throws
 */
export async function fillNewFolder<T>(target: string, fill: (folder: string) => Promise<T>): Promise<T> {
  const place = path.resolve(target);
  await requireEmpty(place);
  await mkdir(path.dirname(place), { recursive: true });
  const folder = `${place}.partial-${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(folder, { mode: 0o700 });
    const result = await fill(folder);
    await syncToDisk(folder);
    // Takes the place of an empty folder; fails where something has come into it meanwhile.
    await rename(folder, place);
    await syncToDisk(path.dirname(place));
    return result;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** @returns whether the folder exists. @throws Error with a one-line message when there is something in it */
export async function requireEmpty(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(({ code }: NodeJS.ErrnoException) => {
    if (code === 'ENOENT') return undefined;
    throw new Error(`${folder} cannot be used (${code})`);
  });
  if (names !== undefined && names.length > 0) throw new Error(`${folder} must be empty, or not be there`);
  return names !== undefined;
}

/** Flushes a file, or the entries of a folder, to the disk. */
export async function syncToDisk(target: string): Promise<void> {
  const handle = await open(target);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
