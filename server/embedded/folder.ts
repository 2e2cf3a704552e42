import { access, chmod, constants, mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** The permissions of what nobody but the owner may enter, and read. */
const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;

/**
 * Makes the folder for data if it is missing, for its owner alone, and checks that it is writable.
 * @throws Error with a one-line message that names the variable
 */
export async function prepareFolder(dataDir: string): Promise<void> {
  await named(dataDir, async () => {
    await makeFolder(resolve(dataDir));
    await access(dataDir, constants.W_OK | constants.X_OK);
  });
}

/**
 * Closes the folder and the files in it to everyone but their owner, whatever the umask was when they were made. Those
 * of another owner are left to that one.
 * @throws as `prepareFolder`
 */
export async function closeFolder(folder: string): Promise<void> {
  await named(folder, async () => {
    await setMode(folder, PRIVATE_FOLDER);
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.isFile()) await setMode(join(folder, entry.name), PRIVATE_FILE);
    }
  });
}

async function named(folder: string, action: () => Promise<void>): Promise<void> {
  await action().catch(({ code, message }: NodeJS.ErrnoException) => {
    throw new Error(`data folder ${folder} (DATA_DIR) cannot be used: ${code ?? message}`);
  });
}

async function setMode(path: string, mode: number): Promise<void> {
  if (((await stat(path)).mode & 0o777) === mode) return;
  await chmod(path, mode).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPERM') throw error;
  });
}

/** Like `mkdir` with `recursive`, which never returns if a parent exists but cannot hold folders (`/proc`). */
async function makeFolder(folder: string, isParent = false): Promise<void> {
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (found?.isDirectory()) return;
  if (!found) await makeFolder(dirname(folder), true);
  await mkdir(folder, isParent ? undefined : PRIVATE_FOLDER).catch(async (error: NodeJS.ErrnoException) => {
    // Another process may have made it at the same moment.
    if (error.code !== 'EEXIST' || !(await stat(folder)).isDirectory()) throw error;
  });
  if (!isParent) await setMode(folder, PRIVATE_FOLDER);
}
