/**
 * What a backup says about itself: `manifest.json`, and `SHA256SUMS` with a line for each file, as `sha256sum --check`
 * reads it. The manifest is written last, and holds the sum of the list: a backup with a manifest is whole.
 */
import { createWriteStream } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { syncToDisk } from '../lib/new-folder.ts';
import { filesBelow, sumOf } from './files.ts';

const FORMAT = 1;
const MANIFEST = 'manifest.json';
const SUMS = 'SHA256SUMS';
const LINE = /^([0-9a-f]{64}) {2}(.+)$/;

export interface Manifest {
  format: number;
  /** Of LetsApp. */
  version: string;
  /** Everything acknowledged before is in it. ISO 8601. */
  begun_at: string;
  finished_at: string;
  /** How many documents each collection has. */
  counts: Record<string, number>;
  files: number;
  bytes: number;
  /** Of the list of checksums. */
  sha256sums: string;
}

/** Sums up what is in the folder of a backup, and writes both files. */
export async function writeManifest(
  folder: string,
  about: Pick<Manifest, 'version' | 'begun_at' | 'counts'>,
): Promise<Manifest> {
  let files = 0;
  let bytes = 0;
  async function* lines() {
    for await (const name of filesBelow(folder)) {
      if (name === SUMS) continue;
      const file = path.join(folder, name);
      const found = await sumOf(file);
      await syncToDisk(file);
      files++;
      bytes += found.bytes;
      yield `${found.sum}  ${name}\n`;
    }
  }
  const list = path.join(folder, SUMS);
  await pipeline(lines, createWriteStream(list, { mode: 0o600 }));
  await syncToDisk(list);
  const { sum: sha256sums } = await sumOf(list);
  const manifest = { format: FORMAT, ...about, finished_at: new Date().toISOString(), files, bytes, sha256sums };
  const file = path.join(folder, MANIFEST);
  await writeFile(file, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
  await syncToDisk(file);
  await syncToDisk(folder);
  return manifest;
}

/**
 * Reads the manifest of a backup, and checks the list of its files.
 * @throws Error with a one-line message where the folder holds no whole backup, or one of a later format
 */
export async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(path.join(folder, MANIFEST), 'utf8').catch(({ code }: NodeJS.ErrnoException) => {
    throw new Error(`${folder} holds no backup: ${MANIFEST} cannot be read (${code})`);
  });
  let manifest: Partial<Manifest>;
  try {
    manifest = Object(JSON.parse(text));
  } catch {
    throw new Error(`${folder} holds no backup: ${MANIFEST} is not JSON`);
  }
  if (manifest.format !== FORMAT) throw new Error(`${folder} holds a backup of another format: ${manifest.format}`);
  const { sum } = await sumOf(path.join(folder, SUMS)).catch(({ code }: NodeJS.ErrnoException) => {
    throw new Error(`the backup in ${folder} is damaged: ${SUMS} cannot be read (${code})`);
  });
  if (sum !== manifest.sha256sums) throw damaged(folder, SUMS);
  return manifest as Manifest;
}

/** The files of a backup, with what their checksums must be. Only paths below the folder are given. */
export async function* listedFiles(folder: string): AsyncGenerator<{ name: string; sum: string }> {
  const handle = await open(path.join(folder, SUMS));
  for await (const line of handle.readLines()) {
    const [, sum, name] = LINE.exec(line) ?? [];
    if (sum === undefined || name === undefined || !isBelow(name)) throw damaged(folder, SUMS);
    yield { name, sum };
  }
}

function isBelow(name: string): boolean {
  return name.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\\'));
}

export function damaged(folder: string, name: string): Error {
  return new Error(`the backup in ${folder} is damaged: ${name} is not as it was written; nothing was restored`);
}
