/** How fast devices come in, until each is ready. */
import { setTimeout as sleep } from 'node:timers/promises';
import { inTurns } from '../bench.ts';
import { connectMany, disconnect } from '../devices.ts';
import { compared, median } from '../measurement.ts';
import type { Part } from '../part.ts';
import type { Side } from '../sides.ts';

const DEVICES = 1000;

export const connections: Part = {
  about: '1,000 devices of 1,000 users connect, 25 at a time',
  rows: {
    rate: { what: 'connections per second', unit: '/s', target: { of: 'ratio', atLeast: 0.5 } },
  },
  async run(bench) {
    const [app, relay] = [await bench.app(), await bench.relay()];
    await app.populate(DEVICES);
    for (const side of [relay, app]) await connect(side, 100);
    const rounds = await inTurns(
      () => connect(relay, DEVICES),
      () => connect(app, DEVICES),
    );
    const rate = {
      ...compared(rounds.map(([bare, ours]) => ({ against: bare.perSecond, measured: ours.perSecond }))),
      // A connection takes the place of a message here.
      cpu: { ours: median(rounds.map(([, { cpu }]) => cpu)), relay: median(rounds.map(([{ cpu }]) => cpu)) },
    };
    return { measurements: { rate } };
  },
};

/** @returns connections a second, and milliseconds of processor time for each */
async function connect(side: Side, devices: number): Promise<{ perSecond: number; cpu: number }> {
  const before = await side.cpu();
  const startedAt = performance.now();
  const sockets = await connectMany(side, 0, devices);
  const perSecond = (devices / (performance.now() - startedAt)) * 1000;
  const after = await side.cpu();
  disconnect(sockets);
  await sleep(500);
  return { perSecond, cpu: (after.server + after.store - before.server - before.store) / devices };
}
