/** What a connection costs that does nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { inTurns } from '../bench.ts';
import { connectMany, disconnect } from '../devices.ts';
import { compared } from '../measurement.ts';
import type { Part } from '../part.ts';
import type { Side } from '../sides.ts';

const FEW = 400;
const MANY = 1600;
const SETTLING_MS = 2000;

export const memory: Part = {
  about: 'Memory in use after garbage collection, as the slope between 400 and 1,600 idle connections',
  rows: {
    connection: { what: 'memory per idle connection', unit: 'KiB', target: { of: 'ratio', atMost: 1.3 } },
  },
  async run(bench) {
    const [app, relay] = [await bench.app(), await bench.relay()];
    await app.populate(MANY);
    const rounds = await inTurns(
      () => perConnection(relay),
      () => perConnection(app),
    );
    return { measurements: { connection: compared(rounds.map(([against, measured]) => ({ against, measured }))) } };
  },
};

/** The slope, so that what a process needs once does not count. @returns KiB */
async function perConnection(side: Side): Promise<number> {
  const sockets = await connectMany(side, 0, FEW);
  await sleep(SETTLING_MS);
  const before = await side.memory();
  sockets.push(...(await connectMany(side, FEW, MANY)));
  await sleep(SETTLING_MS);
  const after = await side.memory();
  disconnect(sockets);
  await sleep(500);
  return (after - before) / (MANY - FEW) / 1024;
}
