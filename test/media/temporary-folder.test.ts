import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLivingProcesses } from '../../server/media/storage/living-processes.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../server/media/storage/temporary-folder.ts';

const HOUR_MS = 3_600_000;
const now = () => new Date();
const ago = (hours: number) => new Date(Date.now() - hours * HOUR_MS);

let directory: string;
let temporary: TemporaryFolder;
let close: () => Promise<void>;
const children = new Set<ChildProcess>();

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'letsapp-temporary-'));
  const processes = createLivingProcesses(path.join(directory, 'processes'));
  temporary = createTemporaryFolder(path.join(directory, 'uploads'), processes);
  close = processes.close;
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await close();
  await rm(directory, { recursive: true });
});

const present = () => readdir(path.join(directory, 'uploads'));

/** Starts another process that holds a temporary file in the same folder. */
async function startHolder(): Promise<{ child: ChildProcess; file: string }> {
  const holder = path.join(import.meta.dirname, 'temporary-holder.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', holder, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  return { child, file: line.toString().trim() };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('temporary files', () => {
  it('go with the work they were lent to, also when it fails', async () => {
    const failing = temporary.with(async (files) => {
      await writeFile(files.newPath(), 'x');
      expect(await present()).toHaveLength(1);
      throw new Error('the work fails');
    });
    await expect(failing).rejects.toThrow('the work fails');
    expect(await present()).toEqual([]);
  });

  it('of a killed process are removed at the next clean-up; those of one that lives, even stopped, are not', async () => {
    const [killed, living, stopped] = await Promise.all([startHolder(), startHolder(), startHolder()]);
    stopped.child.kill('SIGSTOP');
    await kill(killed.child);
    await temporary.cleanUp(now());
    expect((await present()).sort()).toEqual([living.file, stopped.file].sort());
    stopped.child.kill('SIGCONT');
    await Promise.all([kill(living.child), kill(stopped.child)]);
    await temporary.cleanUp(now());
    expect(await present()).toEqual([]);
  });

  it('are the own ones as long as the process lives, whoever cleans up', async () => {
    await temporary.with(async (files) => {
      await writeFile(files.newPath(), 'x');
      const others = createLivingProcesses(path.join(directory, 'processes'));
      await createTemporaryFolder(path.join(directory, 'uploads'), others).cleanUp(now());
      await temporary.cleanUp(now());
      expect(await present()).toHaveLength(1);
    });
  });

  it('of which nobody knows whether their process lives, are removed a day after they were last written', async () => {
    const folder = path.join(directory, 'uploads');
    await mkdir(folder);
    const ofAnotherMachine = `${'0'.repeat(20)}-`;
    const names = { old: `${ofAnotherMachine}1`, recent: `${ofAnotherMachine}2`, oldUnnamed: 'a', recentUnnamed: 'b' };
    for (const name of Object.values(names)) {
      await writeFile(path.join(folder, name), 'x');
      const written = name === names.old || name === names.oldUnnamed ? ago(25) : ago(1);
      await utimes(path.join(folder, name), written, written);
    }
    await temporary.cleanUp(now());
    expect((await present()).sort()).toEqual([names.recent, names.recentUnnamed]);
  });

  it('can be lent where no sockets can be made: they then count as of another machine', async () => {
    const deep = path.join(directory, 'x'.repeat(120));
    const processes = createLivingProcesses(path.join(deep, 'processes'));
    const folder = path.join(deep, 'uploads');
    await createTemporaryFolder(folder, processes).with(async (files) => {
      const file = files.newPath();
      await writeFile(file, 'x');
      const others = createLivingProcesses(path.join(deep, 'processes'));
      await createTemporaryFolder(folder, others).cleanUp(now());
      expect(await readdir(folder)).toEqual([path.basename(file)]);
    });
  });
});

it('the sockets of processes that are gone are removed after a minute, and not those of living ones', async () => {
  const { child } = await startHolder();
  const living = await startHolder();
  await kill(child);
  const sockets = () => readdir(path.join(directory, 'processes'));
  await temporary.cleanUp(now());
  expect(await sockets()).toHaveLength(2);
  await temporary.cleanUp(new Date(Date.now() + 2 * 60_000));
  expect(await sockets()).toEqual([living.file.split('-')[0]]);
});
