/** How long an acknowledgement takes at half of the own highest rate, against what one durable commit takes. */
import { inTurns } from '../bench.ts';
import { sendingLoop } from '../closed-loop.ts';
import { durableCommit } from '../durable-commit.ts';
import { compared, median, percentile } from '../measurement.ts';
import { latencies } from '../open-loop.ts';
import { connectPairs } from '../pairs.ts';
import type { Part } from '../part.ts';
import type { Side } from '../sides.ts';
import { number } from '../written.ts';

const PAIRS = 32;

export const latency: Part = {
  about:
    'In each round the own highest rate, insertions by the driver alone, one by one, and an open loop at half of that rate',
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
    const rates: number[] = [];
    const rounds = await inTurns(
      async () => {
        // Anew in each round: what is half of the highest rate depends on what else the machine does.
        rates.push((await highestRate(app)) / 2);
        return { commit: await durableCommit(app.databaseUrl), bare: await latencies(relay, rates.at(-1)!, 3) };
      },
      () => latencies(app, rates.at(-1)!, 4),
    );
    const p99 = (times: number[]) => percentile(times, 0.99);
    return {
      measurements: {
        p50: compared(rounds.map(([{ commit }, ours]) => ({ against: commit, measured: median(ours) }))),
        p99: compared(rounds.map(([{ bare }, ours]) => ({ against: p99(bare), measured: p99(ours) }))),
      },
      notes: [`The rates were ${rates.map(number).join(', ')} messages a second.`],
    };
  },
};

async function highestRate(side: Side): Promise<number> {
  const pairs = await connectPairs(side, PAIRS);
  const { perSecond } = await sendingLoop(side, pairs, { seconds: 2, underWay: 8 });
  pairs.close();
  return perSecond;
}
