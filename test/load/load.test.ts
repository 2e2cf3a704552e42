import { spawn } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { removeAtExit } from '../support/program.ts';
import { sharedServer } from '../support/server.ts';
import { startProcessForTest } from '../support/server-process.ts';
import { parseArguments } from './arguments.ts';
import type { MixName } from './mixes.ts';
import type { LoadReport } from './report.ts';
import { type Progress, runLoad } from './run.ts';

async function load(mix: MixName, line: string, stopAtSecond = Number.POSITIVE_INFINITY) {
  const { url } = await sharedServer();
  const options = parseArguments(['--url', url, '--mix', mix, '--seed', '1', ...line.split(' ')]);
  const stopping = new AbortController();
  const seen: Progress[] = [];
  const report = await runLoad(options, {
    onProgress(progress) {
      seen.push(progress);
      if (progress.phase === 'load' && progress.done >= stopAtSecond) stopping.abort();
    },
    onNotice: () => {},
    signal: stopping.signal,
  });
  const answers = Object.fromEntries(report.rows.map(({ what, answered }) => [what, answered]));
  return { report, answers, seen };
}

const CLEAN = { lost: 0, doubled: 0, outOfOrder: 0, unchecked: 0, findings: [] };

it('chat over two processes: whole lives of messages, and nothing lost', async () => {
  const { report, answers, seen } = await load('chat', '--users 8 --rate 12 --for 3s --processes 2 --seed 54');
  expect(report.verdict).toMatchObject(CLEAN);
  // A machine that has too much to do may refuse some, and says so; nothing else goes wrong.
  const { unavailable: _, ...errors } = report.totals.errors;
  expect(errors).toEqual({});
  expect(report.verdict.acknowledged).toBeGreaterThan(15);
  // What comes while its recipient is away comes by `sync`.
  expect(answers['→ message:new']).toBeGreaterThan(report.verdict.acknowledged / 2);
  expect(answers).toMatchObject({
    'message:send': report.verdict.acknowledged,
    'message:delivered': expect.any(Number),
    'message:read': expect.any(Number),
    'typing:start': expect.any(Number),
    'message:history': expect.any(Number),
    'presence:get': expect.any(Number),
    'presence:set': expect.any(Number),
    reconnection: expect.any(Number),
  });
  expect(report.options).not.toHaveProperty('serverKey');
  expect(report.options.processes).toBe(2);
  expect(new Set(seen.map(({ phase }) => phase))).toEqual(new Set(['accounts', 'connections', 'load', 'check']));
});

it('groups: each message reaches all others', async () => {
  const { report, answers } = await load('groups', '--users 5 --rate 10 --for 2s --processes 1');
  expect(report.verdict).toMatchObject(CLEAN);
  expect(answers['→ message:new']).toBeGreaterThan(report.verdict.acknowledged * 3);
});

it('calls: they ring, are accepted, signals pass and they end', async () => {
  const { report, answers } = await load('calls', '--users 6 --rate 4 --for 2s --processes 1');
  expect(report.verdict).toMatchObject(CLEAN);
  expect(answers['call:end']).toBeGreaterThan(0);
  expect(answers['call:end']).toBe(answers['call:initiate']);
  expect(answers['→ call:incoming']).toBe(answers['call:initiate']);
  expect(answers['→ call:signal']).toBe(12 * answers['call:initiate']!);
});

it('a storm: all come back, and nothing is lost', async () => {
  const { report, answers } = await load('storm', '--users 8 --rate 12 --for 2s --processes 1');
  expect(report.verdict).toMatchObject(CLEAN);
  expect(answers.reconnection).toBe(8);
});

it('ends early when it is told to, with a report', async () => {
  const { report } = await load('chat', '--users 2 --rate 10 --for 60s --processes 1', 1);
  expect(report.ended_early).toBe(true);
  expect(report.seconds.loaded).toBeLessThan(20);
  expect(report.verdict).toMatchObject(CLEAN);
});

it('says what it cannot do when there is no server', async () => {
  const hooks = { onProgress: () => {}, onNotice: () => {}, signal: new AbortController().signal };
  const options = parseArguments(['--url', 'http://127.0.0.1:9', '--users', '2', '--processes', '1']);
  await expect(runLoad(options, hooks)).rejects.toThrow('no answer from http://127.0.0.1:9');
});

/** The tool as an operator runs it. */
function program(args: string[], onLine: (line: string) => void = () => {}) {
  const child = spawn(process.execPath, ['--import', 'tsx', path.join(import.meta.dirname, 'main.ts'), ...args]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      onLine(output);
    });
  }
  return new Promise<{ code: number | null; output: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, output }));
  });
}

it('a server that dies in the middle: errors by code, and the tool ends with 1 and its report', async () => {
  const server = await startProcessForTest();
  const folder = await mkdtemp(path.join(tmpdir(), 'letsapp-test-'));
  removeAtExit(folder);
  const line = `--url ${server.url} --users 4 --rate 20 --for 3s --timeout 5s --processes 1 --out ${folder}`;
  const { code, output } = await program(line.split(' '), (said) => {
    if (said.includes('1 of 3 s')) void server.kill();
  });
  expect({ code, output }).toMatchObject({ code: 1, output: expect.stringContaining('4 users could not be asked') });
  const report: LoadReport = JSON.parse(await readFile(path.join(folder, 'load-report.json'), 'utf8'));
  expect(report.totals.errors.not_connected).toBeGreaterThan(5);
  expect(report.totals.errors.connect_error).toBeGreaterThan(0);
  expect(report.totals.answered).toBeGreaterThan(5);
  expect(report.verdict).toMatchObject({ unchecked: 4, lost: 0 });
  expect(await readFile(path.join(folder, 'load-report.html'), 'utf8')).toContain('not_connected');
});

it('wrong arguments end it with 2 and the usage', async () => {
  const { code, output } = await program(['--users', '10']);
  expect({ code, output }).toMatchObject({ code: 2, output: expect.stringContaining('--url is missing') });
});
