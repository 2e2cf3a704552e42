/** Puts a backup back into an empty `DATA_DIR`. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { fillNewFolder, requireEmpty, syncToDisk } from '../lib/new-folder.ts';
import { copyPrivate, makeFolder, sumOf } from './files.ts';
import { damaged, listedFiles, type Manifest, readManifest } from './manifest.ts';

/** Inside a folder that must stay itself, such as a volume. Nothing starts on it: no file there has this name. */
const UNDER_WAY = '.restore';

/**
 * Copies every file, and checks that each arrived as it was written. The folder is filled whole or not at all.
 * @param backup the folder of a backup
 * @param dataDir must not exist, or be empty
 * @throws Error with a one-line message when the backup is damaged, or something is in `dataDir`
 */
export async function restoreBackup(backup: string, dataDir: string): Promise<Manifest> {
  const manifest = await readManifest(backup);
  const exists = await requireEmpty(dataDir);
  if (!exists) {
    await fillNewFolder(dataDir, (folder) => copyFiles(backup, folder));
    return manifest;
  }
  const folder = path.join(dataDir, UNDER_WAY);
  try {
    await mkdir(folder, { mode: 0o700 });
    await copyFiles(backup, folder);
    for (const name of await readdir(folder)) await rename(path.join(folder, name), path.join(dataDir, name));
    await syncToDisk(dataDir);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return manifest;
}

async function copyFiles(backup: string, folder: string): Promise<void> {
  for await (const { name, sum } of listedFiles(backup)) {
    const to = path.join(folder, name);
    await makeFolder(path.dirname(to));
    await copyPrivate(path.join(backup, name), to).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? damaged(backup, name) : error;
    });
    if ((await sumOf(to)).sum !== sum) throw damaged(backup, name);
    await syncToDisk(to);
  }
  await syncToDisk(folder);
}
