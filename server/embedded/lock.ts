import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The process that holds the folder. Ids are reused, so its start time tells it apart. */
interface Holder {
  pid: number;
  started: string;
}

/**
 * Takes the folder for this process. A lock that a dead process (`kill -9`) left behind does not count.
 * @returns a function that releases the folder
 * @throws Error with a one-line message if a running process holds it, or the folder is not writable
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const file = join(folder, 'lock');
  const own: Holder = { pid: process.pid, started: (await startOf(process.pid)) ?? '' };
  for (;;) {
    try {
      await writeFile(file, JSON.stringify(own), { flag: 'wx' });
      return () => rm(file, { force: true });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EEXIST')
        throw new Error(`data folder ${folder} (DATA_DIR) cannot be used: ${code ?? String(error)}`);
    }
    const holder = await readHolder(file);
    if (holder !== undefined && (await isRunning(holder))) {
      throw new Error(`data folder ${folder} (DATA_DIR) is in use by process ${holder.pid}`);
    }
    await rm(file, { force: true });
  }
}

async function readHolder(file: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

async function isRunning({ pid, started }: Holder): Promise<boolean> {
  const now = await startOf(pid);
  if (now !== undefined) return now === started;
  try {
    process.kill(pid, 0);
    return started === '';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' && started === '';
  }
}

/** When the process started, in clock ticks since boot (Linux, proc(5)). Undefined if that is not known. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
