import { access, constants, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes the folder for data if it is missing, and sees that it can be written.
 * @throws Error with a one-line message that names the variable
 */
export async function prepareFolder(dataDir: string): Promise<void> {
  try {
    await make(resolve(dataDir));
    await access(dataDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`data folder ${dataDir} (DATA_DIR) cannot be used: ${code ?? message}`);
  }
}

/** As `mkdir` with `recursive`, which never ends where a folder is there but cannot have others in it (`/proc`). */
async function make(folder: string): Promise<void> {
  const there = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (there?.isDirectory()) return;
  if (!there) await make(dirname(folder));
  await mkdir(folder).catch(async (error: NodeJS.ErrnoException) => {
    // Another process may have made it at the same moment.
    if (error.code !== 'EEXIST' || !(await stat(folder)).isDirectory()) throw error;
  });
}
