/** Files of 60 MiB on their way in and out: what they take of the server's memory and of the messages' time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { inTurns, ROUNDS } from '../bench.ts';
import { alone, compared, percentile } from '../measurement.ts';
import { latencies } from '../open-loop.ts';
import type { Part } from '../part.ts';
import type { LetsApp } from '../sides.ts';
import { number } from '../written.ts';
import type { Transfer } from './media-transfer.ts';

const MIB = 1024 * 1024;
const FILE_BYTES = 60 * MIB;
const PER_SECOND = 200;
const SECONDS = 5;
const SAMPLE_MS = 50;

export const media: Part = {
  about: 'Files of 60 MiB uploaded, read and asked for again, alone and beside 200 messages a second',
  rows: {
    memory: {
      what: 'growth of memory while 60 MiB go in and out',
      unit: 'MiB',
      target: { of: 'measured', atMost: 32 },
    },
    p95: {
      what: 'acknowledgement p95 at 200/s while 60 MiB go in and out',
      unit: 'ms',
      against: 'without',
      target: { of: 'ratio', atMost: 1.5 },
    },
  },
  async run(bench) {
    const app = await bench.app();
    await app.populate(64);
    // Whatever is loaded and grows at the first use is not the file's.
    await transfer(app, 4 * MIB, 4);
    const [growths, notes]: [number[], string[]] = [[], []];
    for (let i = 0; i < ROUNDS; i++) {
      const { growth, moved } = await memoryGrowth(app, transfer(app, FILE_BYTES, 1));
      if (moved[0]!.second !== 304) throw new Error(`the same file served twice was answered by ${moved[0]!.second}`);
      growths.push(growth / MIB);
      notes.push(`60 MiB: up in ${number(moved[0]!.upload)} ms, down in ${number(moved[0]!.download)} ms.`);
    }
    await latencies(app, PER_SECOND, SECONDS);
    const p95 = (times: number[]) => percentile(times, 0.95);
    const rounds = await inTurns(
      async () => p95(await latencies(app, PER_SECOND, SECONDS)),
      async () => p95(await latenciesBeside(app)),
    );
    return {
      measurements: {
        memory: alone(growths),
        p95: compared(rounds.map(([against, measured]) => ({ against, measured }))),
      },
      notes,
    };
  },
};

async function latenciesBeside(app: LetsApp): Promise<number[]> {
  const begin = await prepareTransfer(app, FILE_BYTES, 3);
  let during: Promise<Transfer[]> = Promise.resolve([]);
  const times = await latencies(app, PER_SECOND, SECONDS, () => {
    during = begin();
  });
  await during;
  return times;
}

/** A process that is about to transfer files; it begins when it is told to. */
async function prepareTransfer(app: LetsApp, bytes: number, rounds: number): Promise<() => Promise<Transfer[]>> {
  const program = new URL('media-transfer.ts', import.meta.url).pathname;
  const parameters = [app.url, app.accounts[0]!.access_token, String(bytes), String(rounds)];
  const child = spawn(process.execPath, ['--import', 'tsx', program, ...parameters], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  // Its start takes the processor, too, and is no part of a transfer.
  await once(child.stdout, 'data');
  return async () => {
    child.stdin.end('begin');
    return JSON.parse(Buffer.concat(await child.stdout.toArray()).toString());
  };
}

const transfer = async (app: LetsApp, bytes: number, rounds: number) => (await prepareTransfer(app, bytes, rounds))();

/** The highest memory in use by the server while something is done, above what it was before. */
async function memoryGrowth<T>(app: LetsApp, work: Promise<T>): Promise<{ growth: number; moved: T }> {
  const before = await app.memory();
  let peak = before;
  let working = true;
  const done = work.finally(() => {
    working = false;
  });
  while (working) {
    peak = Math.max(peak, await app.memory());
    await sleep(SAMPLE_MS);
  }
  return { growth: peak - before, moved: await done };
}
