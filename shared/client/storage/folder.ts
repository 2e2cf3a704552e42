/** Storage in a folder, for programs in Node. */
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join, resolve as resolvePath } from 'node:path';
import { inProcess } from './locks.ts';
import type { Storage } from './storage.ts';

/** A lock that was not renewed for so long is of a process that died, in milliseconds. */
const STALE_MS = 10_000;
const RENEW_MS = 2000;
const POLL_MS = 200;
/** What begins the name of a file that is no value. */
const OTHER = '.';

/** By path: whoever asks twice gets the same. */
const known = new Map<string, Storage>();

/**
 * Keeps each value in a file of its own, written beside and renamed: a crash leaves the old one or the new one.
 * @param path the folder, made if it is missing; several processes may use it
 */
export function folder(path: string): Storage {
  const directory = resolvePath(path);
  const storage = known.get(directory) ?? createFolder(directory);
  known.set(directory, storage);
  return storage;
}

function createFolder(directory: string): Storage {
  let made: Promise<unknown> | undefined;
  let serial = 0;
  const fileOf = (key: string) => join(directory, nameOf(key));
  function make(): Promise<unknown> {
    made ??= mkdir(directory, { recursive: true, mode: 0o700 });
    return made;
  }

  const storage: Storage = {
    get: (key) => readFile(fileOf(key), 'utf8').catch(ifMissing(undefined)),
    async set(key, value) {
      await make();
      const file = fileOf(key);
      const beside = join(directory, `${OTHER}${process.pid}-${serial++}.new`);
      try {
        const handle = await open(beside, 'w', 0o600);
        try {
          await handle.writeFile(value);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(beside, file);
      } catch (error) {
        await rm(beside, { force: true }).catch(() => {});
        throw error;
      }
    },
    delete: (key) => rm(fileOf(key), { force: true }),
    async keys(prefix) {
      const names = await readdir(directory).catch(ifMissing<string[]>([]));
      const keys = names.filter((name) => !name.startsWith(OTHER)).map(decodeURIComponent);
      return keys.filter((key) => key.startsWith(prefix));
    },
    lock: (name, task, signal) =>
      inProcess(storage, name, async () => {
        await make();
        return withFile(join(directory, `${OTHER}${nameOf(name)}.lock`), task, signal);
      }),
  };
  return storage;
}

/** A key as the name of a file: letters, digits and a few others as they are, the rest as `%` and two digits. */
function nameOf(key: string): string {
  return encodeURIComponent(key).replaceAll('*', '%2A').replace(/^\./, '%2E');
}

/** Runs the task while this process has made the file. */
async function withFile<T>(file: string, task: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  while (!(await take(file))) {
    signal?.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const renewal = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => {});
  }, RENEW_MS);
  renewal.unref();
  try {
    signal?.throwIfAborted();
    return await task();
  } finally {
    clearInterval(renewal);
    await rm(file, { force: true });
  }
}

async function take(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx', 0o600);
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (await isAbandoned(file)) await rm(file, { force: true });
  return false;
}

async function isAbandoned(file: string): Promise<boolean> {
  try {
    const [{ mtimeMs }, text] = await Promise.all([stat(file), readFile(file, 'utf8')]);
    if (Date.now() - mtimeMs > STALE_MS) return true;
    const pid = Number(text);
    return text !== '' && pid !== process.pid && !isAlive(pid);
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const ifMissing =
  <T>(value: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code !== 'ENOENT') throw error;
    return value;
  };
