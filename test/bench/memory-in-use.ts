/** What a program holds in memory once its garbage is collected. */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Loaded into both programs: on SIGUSR2 it collects garbage and prints what is in use. What lies in memory uncollected
 * tells of the past and not of idle connections.
 */
const SOURCE = `
  import { setFlagsFromString } from 'node:v8';
  import { runInNewContext } from 'node:vm';
  import { isMainThread } from 'node:worker_threads';
  if (isMainThread) {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc');
    process.on('SIGUSR2', () => {
      collect();
      const { heapUsed, external } = process.memoryUsage();
      console.log('memory ' + (heapUsed + external));
    });
  }`;

/** `NODE_OPTIONS` of a program that `memoryOf` asks. */
export const TELL_MEMORY = `--import data:text/javascript,${encodeURIComponent(SOURCE)}`;

/** @returns bytes in use by a program that was started with `TELL_MEMORY` */
export async function memoryOf({ child, output }: { child: ChildProcess; output(): string }): Promise<number> {
  const told = () => [...output().matchAll(/^memory (\d+)$/gm)];
  const before = told().length;
  child.kill('SIGUSR2');
  while (told().length === before) {
    if (child.exitCode !== null) throw new Error('the program has ended');
    await sleep(20);
  }
  return Number(told().at(-1)![1]);
}
