/** What it takes to be there at all: the server as `npm run build` makes it, with its own database, doing nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startServerProcess } from '../../support/server-process.ts';
import { ROUNDS } from '../bench.ts';
import { alone } from '../measurement.ts';
import type { Part } from '../part.ts';
import { cpuMs, residentBytes } from '../process-usage.ts';
import { number } from '../written.ts';

const AFTER_S = 10;
const MIB = 1024 * 1024;

export const rest: Part = {
  about: '`node dist/server/main.js` with the embedded database and an empty folder, 10 s after it listens',
  rows: {
    memory: {
      what: 'memory of the server at rest, embedded database included',
      unit: 'MiB',
      target: { of: 'measured', atMost: 120 },
    },
  },
  async run(bench) {
    // Side by side: they do not share what is counted.
    const found = await Promise.all(
      Array.from({ length: ROUNDS }, async () => {
        // An empty URL is none: the embedded database, whatever this run is made on.
        const server = await startServerProcess({ env: { MONGODB_URL: '' }, root: bench.root });
        bench.own({ stop: server.stop });
        await sleep(AFTER_S * 1000);
        return { bytes: await residentBytes(server.pid), cpu: await cpuMs(server.pid) };
      }),
    );
    return {
      measurements: { memory: alone(found.map(({ bytes }) => bytes / MIB)) },
      notes: [`Until then it took ${number(Math.min(...found.map(({ cpu }) => cpu)))} ms of processor time.`],
    };
  },
};
