import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';

it('two programs lose nothing when they and the server are killed and started again', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'letsapp-example-'));
  let server: ServerProcess = await startServerProcess({ dataDir, fromSource: true });
  onTestFinished(async () => {
    await server.kill();
    await rm(dataDir, { recursive: true, force: true });
  });
  const example = spawn(process.execPath, ['--import', 'tsx', 'test/examples/run.ts', server.url]);
  let output = '';
  for (const stream of [example.stdout, example.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const exited = once(example, 'exit');
  // The programs are killed at 3 s by themselves; the server some time later.
  await expect.poll(() => output, { timeout: 120_000 }).toContain('both were killed');
  await sleep(1500);
  await server.kill();
  await sleep(500);
  server = await startServerProcess({ dataDir, fromSource: true, env: { PORT: new URL(server.url).port } });
  const [code] = await exited;
  expect(output).toContain('Nothing was lost');
  expect(code).toBe(0);
}, 300_000);
