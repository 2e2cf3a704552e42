import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { lockFolder } from '../../server/embedded/lock.ts';
import { startProgram } from '../support/program.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'letsapp-lock-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
});

const PROGRAM = [process.execPath, 'dist/server/embedded/main.js'];

/** Runs a database that is expected to end by itself. */
async function refused([command, ...args]: string[]) {
  const child = spawn(command!, args, { env: { ...process.env, DATABASE_PORT: '0', DATA_DIR: folder } });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const [code] = await once(child, 'close');
  return { code, output };
}

/** Runs a database, until the end of the test or a signal. */
async function started() {
  const { child, exited } = await startProgram('server/embedded/main.ts', { DATABASE_PORT: '0', DATA_DIR: folder });
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    pid: child.pid,
    async stop(signal: NodeJS.Signals) {
      child.kill(signal);
      await exited;
    },
  };
}

describe('the folder of a database', () => {
  it('is refused to a second process, which names the first', async () => {
    const { pid } = await started();
    const { code, output } = await refused(PROGRAM);
    expect(code).toBe(1);
    expect(output).toMatch(new RegExp(`^data folder .* is in use by process ${pid}\\n$`));
  });

  it('is refused to a process that sees no other processes, as in another container', async () => {
    const unshare = ['unshare', '--pid', '--fork', '--mount-proc', '--uts'];
    const probe = spawnSync(unshare[0]!, [...unshare.slice(1), 'true']);
    if (probe.status !== 0) throw new Error(`no pid namespace can be made here: ${probe.stderr ?? probe.error}`);
    const { pid } = await started();
    const inContainer = ['sh', '-c', `hostname other && exec ${PROGRAM.join(' ')}`];
    const { code, output } = await refused([...unshare, ...inContainer]);
    expect(code).toBe(1);
    expect(output).toMatch(new RegExp(`^data folder .* is in use by process ${pid} on .+\\n$`));
  });

  it('is refused to a second database of the same process', async () => {
    const unlock = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toThrow(`in use by process ${process.pid}`);
    unlock();
    (await lockFolder(folder))();
  });

  it('goes to one of many that start at once', async () => {
    const starts = await Promise.allSettled(Array.from({ length: 4 }, started));
    expect(starts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('is free at once after kill -9', async () => {
    for (let round = 0; round < 3; round++) await (await started()).stop('SIGKILL');
  });

  it.each([
    ['a process that runs', `${process.pid}`],
    ['the first process, as which one in a container finds itself', '1'],
    ['what an early version wrote', JSON.stringify({ pid: process.pid, started: '1' })],
  ])('is free although the lock that a killed process left names %s', async (_, text) => {
    await mkdir(join(folder, 'database'));
    await writeFile(join(folder, 'database', 'lock'), `${text}\n`);
    await started();
  });

  it('that the user may not write to is refused with one line', async () => {
    await writeFile(join(folder, 'database'), '');
    const { code, output } = await refused(PROGRAM);
    expect(code).toBe(1);
    expect(output).toMatch(/^data folder .* cannot be used: \w+\n$/);
  });
});
