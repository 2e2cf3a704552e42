/**
 * Two chat programs that write to each other; both are killed in the middle and started again.
 *
 *   npm run example [URL]     (default http://127.0.0.1:3000)
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const url = process.argv[2] ?? 'http://127.0.0.1:3000';
const folder = await mkdtemp(path.join(tmpdir(), 'letsapp-example-'));
const run = Date.now().toString(36);
const names = [`ann-${run}`, `bob-${run}`];

function start(name: string): ChildProcess {
  const peer = names.find((other) => other !== name)!;
  const program = path.join(import.meta.dirname, 'chat.ts');
  return spawn(process.execPath, ['--import', 'tsx', program, url, folder, name, peer], { stdio: 'inherit' });
}

let programs = names.map(start);
await sleep(3000);
for (const program of programs) program.kill('SIGKILL');
console.log('--- both were killed; starting them again');
programs = names.map(start);
const codes = await Promise.all(programs.map(async (program) => (await once(program, 'exit'))[0] as number));
await rm(folder, { recursive: true });
const good = codes.every((code) => code === 0);
console.log(good ? 'Nothing was lost, doubled or out of order.' : 'Something went wrong.');
process.exitCode = good ? 0 : 1;
