/** Messages between pairs as fast as they go, by a load of usual clients and by one that costs little. */
import { type Bench, inTurns, ROUNDS } from '../bench.ts';
import { type LoopResult, sendingLoop } from '../closed-loop.ts';
import { alone, compared, type Measurement, median } from '../measurement.ts';
import { latencies } from '../open-loop.ts';
import { type ConnectPairs, connectPairs, connectRawPairs } from '../pairs.ts';
import type { Part } from '../part.ts';

const PAIRS = 32;
const OPTIONS = { seconds: 3, underWay: 8 };
const DELAY = 'letsapp_event_loop_delay_p99_seconds';

export const throughput: Part = {
  about: '32 pairs with 8 messages under way each, closed loop; then the event loop at 0.7 of that rate',
  rows: {
    sends: {
      what: 'durable, ordered pair messages per second, socket.io-client load',
      unit: '/s',
      target: { of: 'ratio', atLeast: 0.35 },
    },
    raw_sends: {
      what: 'durable, ordered pair messages per second, raw load',
      unit: '/s',
      target: { of: 'ratio', atLeast: 0.25 },
    },
    event_loop: {
      what: 'event-loop delay p99 at 0.7 of the highest throughput',
      unit: 'ms',
      target: { of: 'measured', atMost: 20 },
    },
  },
  async run(bench) {
    const app = await bench.app();
    await app.populate(PAIRS * 2);
    const sends = await measure(bench, connectPairs);
    const raw_sends = await measure(bench, connectRawPairs);
    const delays: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      // Asking sets the figure back.
      await latencies(app, sends.measured * 0.7, 3, () => app.metric(DELAY));
      delays.push((await app.metric(DELAY)) * 1000);
    }
    return { measurements: { sends, raw_sends, event_loop: alone(delays) } };
  },
};

async function measure(bench: Bench, connect: ConnectPairs): Promise<Measurement> {
  const [app, relay] = [await bench.app(), await bench.relay()];
  const before = await app.written();
  const rounds = await inTurns(
    () => loop(relay),
    () => loop(app),
  );
  async function loop(side: typeof relay): Promise<LoopResult> {
    const pairs = await connect(side, PAIRS);
    const result = await sendingLoop(side, pairs, OPTIONS);
    pairs.close();
    return result;
  }
  const written = (await app.written()) - before;
  const sent = rounds.reduce((sum, [, { total }]) => sum + total, 0);
  return {
    ...compared(rounds.map(([bare, ours]) => ({ against: bare.perSecond, measured: ours.perSecond }))),
    cpu: {
      ours: median(rounds.map(([, { cpu }]) => cpu.server + cpu.store)),
      relay: median(rounds.map(([{ cpu }]) => cpu.server)),
    },
    bytes: { written: written / sent },
  };
}
