/** Makes a backup of the embedded database and of what lies beside it in `DATA_DIR`, while servers write. */
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { projectFile } from '../lib/project-file.ts';
import { copyPrivate, filesBelow, linkOrCopy, makeFolder } from './files.ts';
import { type Manifest, writeManifest } from './manifest.ts';

/** Generated secrets: without them sessions, links and webhooks' secrets are lost. */
const SECRET_FILES = ['jwt-secret', 'vapid-private-key'];
const MEDIA = 'media';
const DATABASE = 'database';
/** The files of the backup's database; starting it leaves others behind. */
const DATABASE_FILES = ['data.mdb', 'data.sum'];

export interface BackupParts {
  dataDir: string;
  /** Writes a consistent copy of the database into an empty folder. */
  copyDatabase(target: string): Promise<void>;
  /** Starts the copy, which checks every byte of it. @returns how many documents each collection has */
  tryDatabase(dataDir: string): Promise<Record<string, number>>;
}

/**
 * Uploads are stored before the document that names them, and removed after it. So they are taken over before the
 * database, to have those that are removed meanwhile, and again after it, to have those that came.
 * @param folder empty
 */
export async function makeBackup(
  folder: string,
  { dataDir, copyDatabase, tryDatabase }: BackupParts,
): Promise<Manifest> {
  const begun_at = new Date().toISOString();
  await takeMedia(dataDir, folder);
  await makeFolder(path.join(folder, DATABASE));
  await copyDatabase(path.join(folder, DATABASE));
  await takeMedia(dataDir, folder);
  for (const name of SECRET_FILES) {
    const file = path.join(dataDir, name);
    if (existsSync(file)) await copyPrivate(file, path.join(folder, name));
  }
  const counts = await tryDatabase(folder);
  for await (const name of filesBelow(path.join(folder, DATABASE))) {
    if (!DATABASE_FILES.includes(name)) await rm(path.join(folder, DATABASE, name));
  }
  const { version } = JSON.parse(readFileSync(projectFile('package.json'), 'utf8')) as { version: string };
  return writeManifest(folder, { version, begun_at, counts });
}

async function takeMedia(dataDir: string, folder: string): Promise<void> {
  const made = new Set<string>();
  for await (const name of filesBelow(path.join(dataDir, MEDIA))) {
    const to = path.join(folder, MEDIA, name);
    if (!made.has(path.dirname(to))) await makeFolder(path.dirname(to));
    made.add(path.dirname(to));
    await linkOrCopy(path.join(dataDir, MEDIA, name), to);
  }
}
