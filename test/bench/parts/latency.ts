/** How long an acknowledgement takes at half of the own highest rate, against what one durable commit takes. */
import { MongoClient } from 'mongodb';
import { inTurns } from '../bench.ts';
import { sendingLoop } from '../closed-loop.ts';
import { compared, median, percentile } from '../measurement.ts';
import { latencies } from '../open-loop.ts';
import { connectPairs } from '../pairs.ts';
import type { Part } from '../part.ts';
import { number } from '../written.ts';

const PAIRS = 32;

export const latency: Part = {
  about:
    'The own highest rate, then an open loop at half of it, in turns with insertions by the driver alone, one by one',
  rows: {
    p50: {
      what: 'acknowledgement p50 at half of the own highest rate',
      unit: 'ms',
      against: 'a durable commit',
      target: { of: 'ratio', atMost: 4 },
    },
    p99: { what: 'acknowledgement p99 at that rate', unit: 'ms', against: 'the relay' },
  },
  async run(bench) {
    const [app, relay] = [await bench.app(), await bench.relay()];
    await app.populate(PAIRS * 2);
    const pairs = await connectPairs(app, PAIRS);
    const { perSecond } = await sendingLoop(app, pairs, { seconds: 3, underWay: 8 });
    pairs.close();
    const rate = perSecond / 2;
    const rounds = await inTurns(
      async () => ({ commit: await durableCommit(app.databaseUrl), bare: await latencies(relay, rate, 3) }),
      () => latencies(app, rate, 4),
    );
    const p99 = (times: number[]) => percentile(times, 0.99);
    return {
      measurements: {
        p50: compared(rounds.map(([{ commit }, ours]) => ({ against: commit, measured: median(ours) }))),
        p99: compared(rounds.map(([{ bare }, ours]) => ({ against: p99(bare), measured: p99(ours) }))),
      },
      notes: [`The rate was ${number(rate)} messages a second.`],
    };
  },
};

/** @returns milliseconds of one insertion, acknowledged when it is durable; the median of many, one by one */
export async function durableCommit(databaseUrl: string, commits = 300): Promise<number> {
  const client = await new MongoClient(databaseUrl, { writeConcern: { w: 'majority' } }).connect();
  const scratch = client.db().collection('bench_commits');
  const times: number[] = [];
  for (let i = 0; i < commits; i++) {
    const startedAt = performance.now();
    await scratch.insertOne({ content: 'x'.repeat(200), at: new Date() });
    times.push(performance.now() - startedAt);
  }
  await scratch.drop();
  await client.close();
  return median(times);
}
