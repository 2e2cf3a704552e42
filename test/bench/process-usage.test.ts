import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cpuMs, residentBytes, writtenBytes } from './process-usage.ts';

const MIB = 1024 * 1024;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'letsapp-usage-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('processor time is what the process says itself, to a few ticks of the clock', async () => {
  for (const until = Date.now() + 50; Date.now() < until; );
  const own = () => (({ user, system }) => (user + system) / 1000)(process.cpuUsage());
  const before = own();
  const seen = await cpuMs(process.pid);
  expect(seen).toBeGreaterThan(before - 30);
  expect(seen).toBeLessThan(own() + 30);
});

test('what is written to a file is counted', async () => {
  const before = await writtenBytes(process.pid);
  await writeFile(path.join(folder, 'file'), Buffer.alloc(2 * MIB));
  const written = (await writtenBytes(process.pid)) - before;
  expect(written).toBeGreaterThanOrEqual(2 * MIB);
  expect(written).toBeLessThan(3 * MIB);
});

test('the memory of a process is that of its children, too', async () => {
  const alone = await residentBytes(process.pid);
  const child = spawn(
    process.execPath,
    ['-e', 'globalThis.b = Buffer.alloc(60e6, 1); console.log(1); setInterval(() => {}, 1e6)'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await once(child.stdout, 'data');
  try {
    expect((await residentBytes(process.pid)) - alone).toBeGreaterThan(60e6);
    expect(await residentBytes(child.pid!)).toBeGreaterThan(60e6);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
