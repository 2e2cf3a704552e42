/** The embedded database by itself, asked by the driver: what everything that is stored rests on. */
import { type Collection, MongoClient } from 'mongodb';
import { startEmbeddedDatabase } from '../../support/database.ts';
import { removeAtExit } from '../../support/program.ts';
import { ROUNDS } from '../bench.ts';
import { alone, type Measurement, median } from '../measurement.ts';
import type { Part } from '../part.ts';
import { cpuMs, writtenBytes } from '../process-usage.ts';

const SECONDS = 1.5;
const AT_ONCE = 64;
const BATCH = 50;

/** How many documents one way of inserting brings in, in so many lanes at once. */
interface Way {
  lanes: number;
  insert(into: Collection): Promise<number>;
}

const document = () => ({ content: 'x'.repeat(200), at: new Date() });
const one = async (into: Collection) => {
  await into.insertOne(document());
  return 1;
};
const WAYS: Record<string, Way> = {
  one_by_one: { lanes: 1, insert: one },
  at_once: { lanes: AT_ONCE, insert: one },
  batches: {
    lanes: 1,
    async insert(into) {
      await into.insertMany(Array.from({ length: BATCH }, document));
      return BATCH;
    },
  },
};

export const inserts: Part = {
  about:
    'Documents of 200 characters inserted durably by the driver alone; a first spike on another day took 570, 2,800 and 40,000 a second',
  rows: {
    one_by_one: { what: 'durable inserts per second, one by one', unit: '/s' },
    at_once: { what: 'durable inserts per second, 64 in flight', unit: '/s' },
    batches: { what: 'durable inserts per second, in batches of 50', unit: '/s' },
  },
  async run(bench) {
    const database = bench.own(await startEmbeddedDatabase());
    removeAtExit(database.folder);
    const client = await new MongoClient(database.url, { writeConcern: { w: 'majority' } }).connect();
    bench.own({ stop: () => client.close() });
    const into = client.db().collection('inserts');
    await insertFor(500, into, WAYS.at_once!);
    const rounds: Record<string, Rate[]> = { one_by_one: [], at_once: [], batches: [] };
    for (let i = 0; i < ROUNDS; i++) {
      for (const [name, way] of Object.entries(WAYS)) rounds[name]!.push(await rateOf(database.pid(), into, way));
    }
    const measurements = Object.fromEntries(Object.entries(rounds).map(([name, rates]) => [name, summed(rates)]));
    return { measurements };
  },
};

interface Rate {
  perSecond: number;
  cpu: number;
  written: number;
}

async function rateOf(pid: number, into: Collection, way: Way): Promise<Rate> {
  const before = { cpu: await cpuMs(pid), written: await writtenBytes(pid), at: performance.now() };
  const count = await insertFor(SECONDS * 1000, into, way);
  return {
    perSecond: (count / (performance.now() - before.at)) * 1000,
    cpu: ((await cpuMs(pid)) - before.cpu) / count,
    written: ((await writtenBytes(pid)) - before.written) / count,
  };
}

async function insertFor(ms: number, into: Collection, { lanes, insert }: Way): Promise<number> {
  const until = performance.now() + ms;
  let count = 0;
  const lane = async () => {
    while (performance.now() < until) {
      const inserted = await insert(into);
      // Not in one expression: it would read the count before the wait, and other lanes' would be lost.
      count += inserted;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return count;
}

function summed(rates: Rate[]): Measurement {
  return {
    ...alone(rates.map(({ perSecond }) => perSecond)),
    cpu: { ours: median(rates.map(({ cpu }) => cpu)) },
    bytes: { written: median(rates.map(({ written }) => written)) },
  };
}
