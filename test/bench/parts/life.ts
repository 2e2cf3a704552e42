/** Whole lives of messages: sent, acknowledged as delivered, read, each awaited. What chat really is. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type CountingProxy, countingProxy } from '../../support/counting-proxy.ts';
import { type Bench, inTurns } from '../bench.ts';
import type { LoopResult } from '../closed-loop.ts';
import { type Loop, livesOf, PAIRS, sendsOf } from '../lives.ts';
import { compared, type Measurement, median } from '../measurement.ts';
import { latencies } from '../open-loop.ts';
import type { Part } from '../part.ts';
import type { LetsApp, Side } from '../sides.ts';

/** The embedded database writes to its tree every five seconds: what it wrote is read after that. */
const CHECKPOINT_MS = 6000;

export const life: Part = {
  about: '30 pairs, in each one message at a time: sent, then acknowledged as delivered, then read, each awaited',
  rows: {
    lives: {
      what: 'whole lives per second of 30 pairs, socket.io-client load',
      unit: '/s',
      target: { of: 'ratio', atLeast: 0.2 },
    },
    send_cpu: {
      what: 'CPU of server and store, a send of 30 pairs (≤ 0.3 ms where the relay takes 0.1 for a send)',
      unit: 'ms',
      against: "the relay's send, at the same rate",
      target: { of: 'ratio', atMost: 3 },
    },
    life_cpu: {
      what: 'CPU of server and store, a life of 30 pairs (≤ 1.0 ms where the relay takes 0.1 for a send)',
      unit: 'ms',
      against: "the relay's send, at the same rate",
      target: { of: 'ratio', atMost: 10 },
    },
    sends_one_by_one: { what: 'sends per second of 30 pairs, one under way in each', unit: '/s' },
  },
  async run(bench) {
    const app = await bench.app();
    await app.populate(PAIRS * 2);
    const sends = await compare(bench, sendsOf);
    const lives = await compare(bench, livesOf);
    const wire = await wireBytes(bench, app);
    // As fast as it can, the relay would serve many at each waking: what it takes depends on the rate.
    const relaySend = await cpuOfSend(await bench.relay(), sends.measured);
    const cpuRow = (ours: number[], each: Measurement): Measurement => ({
      ...compared(ours.map((measured) => ({ measured, against: relaySend }))),
      ...(each.bytes ? { bytes: each.bytes } : {}),
    });
    sends.bytes.wire = wire.send;
    lives.bytes.wire = wire.life;
    const { cpus: sendCpus, ...sends_one_by_one } = sends;
    const { cpus: lifeCpus, ...ofLives } = lives;
    return {
      measurements: {
        lives: ofLives,
        send_cpu: cpuRow(sendCpus, sends),
        life_cpu: cpuRow(lifeCpus, lives),
        sends_one_by_one,
      },
    };
  },
};

/** Three rounds on both sides, and what the store wrote for them. */
async function compare(bench: Bench, loop: Loop) {
  const [app, relay] = [await bench.app(), await bench.relay()];
  const before = await app.written();
  const rounds = await inTurns(
    () => loop(relay),
    () => loop(app),
  );
  await sleep(CHECKPOINT_MS);
  const written = (await app.written()) - before;
  const cpus = rounds.map(([, { cpu }]) => cpu.server + cpu.store);
  return {
    ...compared(rounds.map(([bare, ours]) => ({ against: bare.perSecond, measured: ours.perSecond }))),
    cpu: { ours: median(cpus), relay: median(rounds.map(([{ cpu }]) => cpu.server)) },
    bytes: { written: written / rounds.reduce((sum, [, { total }]) => sum + total, 0) } as {
      written: number;
      wire?: number;
    },
    cpus,
  };
}

/** @returns milliseconds of processor time for each of so many sends a second */
async function cpuOfSend(side: Side, perSecond: number): Promise<number> {
  let before = 0;
  const sent = await latencies(side, perSecond, 3, async () => {
    before = (await side.cpu()).server;
  });
  return ((await side.cpu()).server - before) / sent.length;
}

/** Bytes between server and store, for a send and for a life: with a proxy between them, so apart from what is timed. */
async function wireBytes(bench: Bench, app: LetsApp): Promise<{ send: number; life: number }> {
  const proxy = await countingProxy(app.databaseUrl);
  bench.own({ stop: proxy.close });
  await app.restart({ MONGODB_URL: proxy.url });
  const send = await bytesOf(proxy, () => sendsOf(app));
  const life = await bytesOf(proxy, () => livesOf(app));
  await app.restart();
  return { send, life };
}

async function bytesOf(proxy: CountingProxy, work: () => Promise<LoopResult>): Promise<number> {
  proxy.reset();
  const { total } = await work();
  const bytes = proxy.commands().reduce((sum, { requestBytes, replyBytes }) => sum + requestBytes + replyBytes, 0);
  return bytes / total;
}
