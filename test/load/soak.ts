/**
 * `npm run soak -- [minutes] [actions a second]`: a server under the mix of chats for a long time, killed and started again
 * now and then. Nothing may be lost, doubled or out of order, and memory must stay where it was. Twenty minutes by default.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../support/redis.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { parseArguments } from './arguments.ts';
import { runLoad } from './run.ts';
import { summary } from './summary.ts';
import { isClean } from './verdict.ts';

/** Between two kills, in milliseconds. */
const KILL_MS = 240_000;
const LOOK_MS = 15_000;
/** Memory counts once a server has run for so long, in milliseconds: caches have filled then. */
const WARM_MS = 60_000;
/** How much more the last server may hold than the first, warm ones, as a ratio. */
const MOST_GROWTH = 1.25;

const minutes = Number(process.argv[2] ?? 20);
const rate = Number(process.argv[3] ?? 100);

/** Memory of a process that is its own, in MiB: pages of the database file, which the system takes back when it needs them, left out. */
function memoryOf(pid: number): number {
  return Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}

/** A server that is killed and started again, and the memory that each of its lives held when it was warm. */
async function startMortal() {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'letsapp-soak-'));
  const env = { PORT: String(await freePort()), RATE_LIMITS: 'off', BCRYPT_COST: '4' };
  let server: ServerProcess = await startServerProcess({ dataDir, env });
  let startedAt = performance.now();
  let isDown = false;
  const lives: number[][] = [[]];

  const looking = setInterval(() => {
    if (isDown || performance.now() - startedAt < WARM_MS) return;
    const mib = memoryOf(server.pid);
    lives.at(-1)!.push(mib);
    console.error(`life ${lives.length}: ${mib.toFixed(0)} MiB`);
  }, LOOK_MS);
  const killing = setInterval(async () => {
    isDown = true;
    await server.kill();
    server = await startServerProcess({ dataDir, env });
    startedAt = performance.now();
    lives.push([]);
    isDown = false;
  }, KILL_MS);

  return {
    url: server.url,
    lives,
    async end() {
      clearInterval(looking);
      clearInterval(killing);
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

const mortal = await startMortal();
const args = ['--url', mortal.url, '--users', String(rate * 2), '--rate', String(rate), '--for', `${minutes}m`];
const report = await runLoad(parseArguments(args), {
  onProgress: () => {},
  onNotice: (line) => console.error(line),
  signal: new AbortController().signal,
});
await mortal.end();

const highest = mortal.lives.flatMap((life) => (life.length > 0 ? [Math.max(...life)] : []));
const growth = highest.at(-1)! / highest[0]!;
console.log(summary(report));
console.log(`memory of each life, warm, at most: ${highest.map((mib) => mib.toFixed(0)).join(', ')} MiB`);
process.exitCode = isClean(report.verdict) && growth <= MOST_GROWTH ? 0 : 1;
