/**
 * Files of 60 MiB on their way in and out: what they take of the server's memory and of the messages' time.
 * Alone: `npm run bench -- media`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { atMost, percentile, print, type Row } from './figures.ts';
import { latencies } from './load.ts';
import type { Transfer } from './media-transfer.ts';
import { type LetsApp, startLetsApp } from './sides.ts';

const MIB = 1024 * 1024;
const FILE_BYTES = 60 * MIB;
const MESSAGES_PER_SECOND = 200;
const SAMPLE_MS = 50;

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

/** The highest resident memory of the server while something is done, above what it was before. */
async function memoryGrowth(app: LetsApp, work: Promise<unknown>): Promise<number> {
  const before = await app.memory();
  let peak = before;
  let working = true;
  const done = work.finally(() => {
    working = false;
  });
  while (working) {
    peak = Math.max(peak, await app.memory());
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
  }
  await done;
  return peak - before;
}

/** @param app with nothing else to do */
export async function media(app: LetsApp): Promise<Row[]> {
  await app.populate(64);
  // Whatever is loaded and grows at the first use is not the file's.
  await transfer(app, 4 * MIB, 4);
  const moved = transfer(app, FILE_BYTES, 3);
  const growth = await memoryGrowth(app, moved);
  for (const { upload, download, second } of await moved) {
    console.log(`60 MiB: up in ${Math.round(upload)} ms, down in ${Math.round(download)} ms, again: ${second}`);
    if (second !== 304) throw new Error(`the same file served twice was answered by ${second}`);
  }
  // Code that has just begun to run is slow: both measurements come after that.
  await latencies(app, MESSAGES_PER_SECOND, 8);
  const idle = percentile(await latencies(app, MESSAGES_PER_SECOND, 10), 0.95);
  const begin = await prepareTransfer(app, FILE_BYTES, 6);
  let during: Promise<Transfer[]> = Promise.resolve([]);
  const busy = await latencies(app, MESSAGES_PER_SECOND, 10, () => {
    during = begin();
  });
  const [meanwhile] = await during;
  console.log(`60 MiB beside messages: up in ${Math.round(meanwhile!.upload)} ms`);
  return [
    atMost('peak memory while 60 MiB go in and out, against 32 MiB', 32, growth / MIB, 1, 'MiB'),
    atMost('acknowledgement p95 at 200/s meanwhile, against without', idle, percentile(busy, 0.95), 1.5, 'ms'),
  ];
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const app = await startLetsApp();
  try {
    print(await media(app));
  } finally {
    await app.stop();
  }
}
