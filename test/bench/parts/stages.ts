/** Where a message's time goes, by what can be seen from outside: on the wires, and by the kernel's account. */
import type { Socket } from 'socket.io-client';
import type { CountingProxy } from '../../support/counting-proxy.ts';
import { sendingLoop } from '../closed-loop.ts';
import { connectDevice, disconnect } from '../devices.ts';
import { durableCommit } from '../durable-commit.ts';
import { median } from '../measurement.ts';
import { connectPairs } from '../pairs.ts';
import type { Part, Table } from '../part.ts';
import { startProxied } from '../proxied-app.ts';
import type { Side } from '../sides.ts';
import { covered } from '../spans.ts';
import { number } from '../written.ts';

const MESSAGES = 200;
const WARM_UP = 50;
const PAIRS = 32;

export const stages: Part = {
  about:
    'One message at a time through a proxy before the store, timed stage by stage; then CPU under full load, without it',
  rows: {
    send: { what: 'acknowledgement of a lone send, p50', unit: 'ms' },
    life: { what: 'a whole lone life, p50', unit: 'ms' },
  },
  async run(bench) {
    const { app, proxy } = await startProxied(bench);
    await app.populate(2);
    const commit = await durableCommit(proxy.url);
    const relay = await bench.relay();
    const bare = await liveAlone(relay);
    const ours = await liveAlone(app, proxy);
    const total = (step: Step) => median(ours[step].map(({ total: ms }) => ms));
    const life = ours.send.map((_, i) => STEPS.reduce((sum, step) => sum + ours[step][i]!.total, 0));
    return {
      measurements: { send: { measured: total('send') }, life: { measured: median(life) } },
      tables: [waits(bare, ours, commit), await underLoad(await bench.app(), relay)],
    };
  },
};

const STEPS = ['send', 'delivered', 'read'] as const;
type Step = (typeof STEPS)[number];

/** Milliseconds. */
interface Stages {
  /** From the client's sending to its acknowledgement. */
  total: number;
  /** Until the first command leaves for the store. */
  before: number;
  /** From then to the last reply before the acknowledgement; of that, with no command under way. */
  store: number;
  between: number;
  /** From there to the acknowledgement. */
  after: number;
  commands: number;
}

/** Lives one after the other, with nothing else to do. */
async function liveAlone(side: Side, proxy?: CountingProxy): Promise<Record<Step, Stages[]>> {
  const [one, other] = [await connectDevice(side, 0), await connectDevice(side, 1)];
  const found: Record<Step, Stages[]> = { send: [], delivered: [], read: [] };
  for (let i = 0; i < MESSAGES + WARM_UP; i++) {
    const arrival = new Promise<{ message: { seq?: number } }>((resolve) => other.once('message:new', resolve));
    const timed: [Step, Stages][] = [];
    timed.push(['send', await time(one, 'message:send', { recipient_id: side.id(1), content: `message ${i}` }, proxy)]);
    const mark = { recipient_id: side.id(0), up_to_seq: (await arrival).message.seq ?? 1 };
    timed.push(['delivered', await time(other, 'message:delivered', mark, proxy)]);
    timed.push(['read', await time(other, 'message:read', mark, proxy)]);
    if (i >= WARM_UP) for (const [step, stages] of timed) found[step].push(stages);
  }
  disconnect([one, other]);
  return found;
}

async function time(socket: Socket, name: string, payload: object, proxy: CountingProxy | undefined): Promise<Stages> {
  proxy?.reset();
  const startedAt = performance.now();
  const { ok } = await socket.emitWithAck(name, payload);
  const total = performance.now() - startedAt;
  if (!ok) throw new Error(`${name} was refused`);
  const spans = (proxy?.commands() ?? []).flatMap(({ at, ms }) => (ms === undefined ? [] : [[at, at + ms] as const]));
  if (spans.length === 0) return { total, before: total, store: 0, between: 0, after: 0, commands: 0 };
  const first = Math.min(...spans.map(([from]) => from));
  const last = Math.max(...spans.map(([, to]) => to));
  return {
    total,
    before: first - startedAt,
    store: last - first,
    between: last - first - covered(spans),
    after: startedAt + total - last,
    commands: spans.length,
  };
}

function waits(bare: Record<Step, Stages[]>, ours: Record<Step, Stages[]>, commit: number): Table {
  const of = (from: Record<Step, Stages[]>, pick: (stages: Stages) => number) =>
    STEPS.map((step) => number(median(from[step].map(pick))));
  return {
    title: 'Milliseconds of a lone message, medians',
    header: ['stage', ...STEPS],
    rows: [
      ['the bare relay, all of it (the wire and Socket.IO)', ...of(bare, ({ total }) => total)],
      ['LetsApp, all of it', ...of(ours, ({ total }) => total)],
      ['from the client to the first store command', ...of(ours, ({ before }) => before)],
      ['waiting for the store (commands under way)', ...of(ours, ({ store, between }) => store - between)],
      ['in the server between store commands', ...of(ours, ({ between }) => between)],
      ['from the last reply to the acknowledgement', ...of(ours, ({ after }) => after)],
      ['store commands', ...of(ours, ({ commands }) => commands)],
      ['one durable commit by the driver alone, by the same way', ...STEPS.map(() => number(commit))],
    ],
  };
}

async function underLoad(app: Side & { populate(users: number): Promise<void> }, relay: Side): Promise<Table> {
  await app.populate(PAIRS * 2);
  const rows: string[][] = [];
  for (const [name, side] of [
    ['the bare relay', relay],
    ['LetsApp', app],
  ] as const) {
    const pairs = await connectPairs(side, PAIRS);
    const { perSecond, cpu } = await sendingLoop(side, pairs, { seconds: 4, underWay: 8 });
    pairs.close();
    const share = (ms: number) => `${number(ms)} ms, ${number((ms * perSecond) / 10)} %`;
    rows.push([name, number(perSecond), share(cpu.server), share(cpu.store), share(cpu.load)]);
  }
  return {
    title: 'CPU a send, and share of a processor, of 32 pairs with 8 under way each',
    header: ['', 'sends/s', 'server', 'store', 'load (socket.io-client)'],
    rows,
  };
}
