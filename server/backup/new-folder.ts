/** A folder that appears whole: it is filled under another name beside its place, and renamed at the end. */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder, sync } from './files.ts';

/**
 * @param target must not exist, or be empty
 * @param fill writes into the folder that it is given; when it fails, nothing is left
 * @throws Error with a one-line message when there is something in the target; what `fill` throws
 */
export async function fillNewFolder<T>(target: string, fill: (folder: string) => Promise<T>): Promise<T> {
  const place = path.resolve(target);
  await requireEmpty(place);
  await mkdir(path.dirname(place), { recursive: true });
  const folder = `${place}.partial-${randomBytes(4).toString('hex')}`;
  try {
    await makeFolder(folder);
    const result = await fill(folder);
    // Takes the place of an empty folder; fails where another one has come meanwhile.
    await rename(folder, place);
    await sync(path.dirname(place));
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
