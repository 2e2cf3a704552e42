import { closeSync, constants, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** Another process has the folder. */
export class FolderInUse extends Error {}

/**
 * Takes the folder for this process, by a lock of the operating system on a file in it. The kernel holds it for
 * the open file: it ends with the process however that ends, and process ids play no part.
 * @param name of the file that is locked
 * @returns a function that releases the folder
 * @throws FolderInUse if another process holds it, Error if it cannot be locked; each with a one-line message
 */
export async function lockFolder(folder: string, name = 'lock'): Promise<() => void> {
  const place = `data folder ${folder} (DATA_DIR)`;
  const { tryLock } = await import('fs-native-extensions').catch((error: Error) => {
    throw new Error(`${place} cannot be locked on this platform: ${error.message}`);
  });
  let descriptor: number | undefined;
  let isOurs: boolean;
  try {
    descriptor = openSync(join(folder, name), constants.O_RDWR | constants.O_CREAT, 0o600);
    isOurs = tryLock(descriptor);
  } catch (error) {
    if (descriptor !== undefined) closeSync(descriptor);
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`${place} cannot be used: ${code ?? message}`);
  }
  if (!isOurs) {
    const holder = readHolder(descriptor);
    closeSync(descriptor);
    throw new FolderInUse(`${place} is in use by ${holder}`);
  }
  writeHolder(descriptor);
  return () => closeSync(descriptor);
}

/** Notes who holds the folder, for the message that others get. It decides nothing. */
function writeHolder(descriptor: number): void {
  try {
    ftruncateSync(descriptor);
    writeSync(descriptor, `${process.pid} ${hostname()}\n`, 0);
  } catch {
    // On a full disk the message names nobody.
  }
}

function readHolder(descriptor: number): string {
  try {
    const bytes = Buffer.alloc(300);
    const text = bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, bytes.length, 0));
    const [, pid, host] = /^(\d+) (\S+)\n$/.exec(text) ?? [];
    if (pid !== undefined) return `process ${pid}${host === hostname() ? '' : ` on ${host}`}`;
  } catch {
    // Windows lets nobody read what is locked.
  }
  return 'another process';
}
