/** The mark of a database that was moved elsewhere: from then on it takes no writes, and does not start. */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const NAME = 'moved';

export interface Moved {
  /** Where to, without what is secret of it. */
  to: string;
  /** Which move it was. */
  move: string;
  /** When; ISO 8601. */
  at: string;
}

/**
 * @param folder that of the database
 * @returns undefined where it was not moved
 */
export function readMoved(folder: string): Moved | undefined {
  const file = join(folder, NAME);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Moved) : undefined;
}

/** Marks the database as moved; on the disk when it returns. */
export function writeMoved(folder: string, moved: Moved): void {
  const file = join(folder, NAME);
  const descriptor = openSync(`${file}.new`, 'w', 0o600);
  try {
    writeSync(descriptor, `${JSON.stringify(moved)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(`${file}.new`, file);
  // Windows opens no folders.
  if (process.platform === 'win32') return;
  const entries = openSync(folder, 'r');
  try {
    fsyncSync(entries);
  } finally {
    closeSync(entries);
  }
}

/** What to do about it, in one line. */
export function adviceOn({ to, at }: Moved, folder: string): string {
  return (
    `the embedded database in ${folder} was moved to ${to} at ${at}: set MONGODB_URL to that and start again ` +
    `(to go back to what it had then, remove ${join(folder, NAME)})`
  );
}
