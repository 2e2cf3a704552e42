/**
 * Two nodes against two bare ones with the Redis adapter: what the way to the other node adds to a message's delivery,
 * and what a node spends on messages that concern nobody on it. Storing a message takes the same time wherever it is
 * delivered, so each message is timed on two devices, one near and one far.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'socket.io-client';
import { type Account, registerMany } from '../../support/client.ts';
import { startDatabaseAlone } from '../../support/database.ts';
import { startProgram } from '../../support/program.ts';
import { startRedis } from '../../support/redis.ts';
import { startServerProcess } from '../../support/server-process.ts';
import { openReady } from '../../support/sockets.ts';
import { type Bench, inTurns } from '../bench.ts';
import { disconnect } from '../devices.ts';
import { compared, type Measurement, median } from '../measurement.ts';
import type { Part } from '../part.ts';
import { cpuMs } from '../process-usage.ts';
import { number } from '../written.ts';

const MESSAGES = 400;
const RATE_PER_S = 200;
const IDLE_S = 3;
const LOAD_PER_S = 1000;
const PAIRS = 32;

/** The sender, and the recipient's devices on the same node and on the other. */
interface Trio {
  sender: Socket;
  near: Socket;
  far: Socket;
  send(text: string): void;
}

export const nodes: Part = {
  about:
    'Two nodes over Redis against two bare Socket.IO ones with its adapter; then a node beside the load of another',
  rows: {
    delivery: {
      what: 'delivery across two nodes p50, storing apart',
      unit: 'ms',
      against: 'Socket.IO with the same adapter',
      target: { of: 'ratio', atMost: 1.5 },
    },
    bystander: {
      what: 'CPU of a node beside 1,000 messages/s of others',
      unit: '%',
      against: 'quiet + 1 %',
      target: { of: 'ratio', atMost: 1 },
    },
  },
  async run(bench) {
    const [database, redis] = await Promise.all([startDatabaseAlone(), startRedis()]);
    bench.own(database);
    bench.own(redis);
    const bare = await bareTrio(bench, redis.url);
    const env = { MONGODB_URL: database.url, REDIS_URL: redis.url, JWT_SECRET: 'the same secret on both of the nodes' };
    const { root } = bench;
    const [first, second] = [await startServerProcess({ env, root }), await startServerProcess({ env, root })];
    for (const node of [first, second]) bench.own({ stop: node.stop });
    const accounts = await registerMany(first.url, PAIRS * 2);
    const ours = await trioOn(first.url, second.url, accounts);
    const rounds = await inTurns(
      () => measure(bare, 'message'),
      () => measure(ours, 'message:new'),
    );
    disconnect([bare, ours].flatMap(({ sender, near, far }) => [sender, near, far]));
    await sleep(500);
    const shares = await inTurns(
      () => share(second.pid, IDLE_S),
      async () => {
        const [, busy] = await Promise.all([
          flood(first.url, accounts, IDLE_S + 1.5),
          sleep(1000).then(() => share(second.pid, IDLE_S)),
        ]);
        return busy;
      },
    );
    return {
      measurements: { delivery: delivery(rounds), bystander: bystander(shares) },
      notes: [
        `From sending to arrival, p50: bare ${written(rounds.map(([bareTimes]) => bareTimes))}; ` +
          `stored first ${written(rounds.map(([, ourTimes]) => ourTimes))}.`,
      ],
    };
  },
};

/** The bare delivery, with our way between the nodes in place of the adapter's. */
const delivery = (rounds: [Times, Times][]): Measurement =>
  compared(rounds.map(([bare, ours]) => ({ against: bare.far, measured: bare.near + ours.added })));

const bystander = (shares: [number, number][]): Measurement =>
  compared(shares.map(([quiet, busy]) => ({ against: quiet + 1, measured: busy })));

const written = (times: Times[]) =>
  `${number(median(times.map(({ near }) => near)))} ms near, ${number(median(times.map(({ far }) => far)))} ms far`;

async function bareTrio(bench: Bench, redisUrl: string): Promise<Trio> {
  const urls: string[] = [];
  for (let i = 0; i < 2; i++) {
    const { child, url, exited } = await startProgram('test/bench/relay-nodes.ts', { REDIS_URL: redisUrl });
    bench.own({
      stop() {
        child.kill('SIGKILL');
        return exited;
      },
    });
    urls.push(url);
  }
  const [sender, near, far] = await Promise.all([
    openReady(urls[0]!, { user: 1 }, 'connect'),
    openReady(urls[0]!, { user: 2 }, 'connect'),
    openReady(urls[1]!, { user: 2 }, 'connect'),
  ]);
  return { sender, near, far, send: (content) => sender.emit('send', { to: 'user:2', content }, () => {}) };
}

async function trioOn(first: string, second: string, accounts: Account[]): Promise<Trio> {
  const [one, other] = [{ token: accounts[0]!.access_token }, { token: accounts[1]!.access_token }];
  const [sender, near, far] = await Promise.all([
    openReady(first, one),
    openReady(first, other),
    openReady(second, other),
  ]);
  const recipient_id = accounts[1]!.id;
  return { sender, near, far, send: (content) => sender.emit('message:send', { recipient_id, content }, () => {}) };
}

interface Times {
  /** Milliseconds from sending to arrival on the same node, and on the other one: medians. */
  near: number;
  far: number;
  /** By how much later it arrives on the other node: the median over all messages. */
  added: number;
}

async function measure({ send, near, far }: Trio, event: string): Promise<Times> {
  const sentAt = new Map<string, number>();
  const arrivals = [near, far].map((socket) => {
    const times = new Map<string, number>();
    socket.off(event);
    socket.on(event, ({ message }: { message: { content: string } }) => {
      times.set(message.content, performance.now() - sentAt.get(message.content)!);
    });
    return times;
  }) as [Map<string, number>, Map<string, number>];
  for (let i = 0; i < MESSAGES; i++) {
    sentAt.set(`m${i}`, performance.now());
    send(`m${i}`);
    await sleep(1000 / RATE_PER_S);
  }
  for (let i = 0; i < 100 && arrivals.some((times) => times.size < MESSAGES); i++) await sleep(50);
  // The first ones are slower everywhere: connections and code are cold.
  const warm = [...sentAt.keys()].slice(MESSAGES / 5);
  const [nearTimes, farTimes] = arrivals.map((times) => warm.map((text) => times.get(text) ?? Number.NaN));
  if ([...nearTimes!, ...farTimes!].some(Number.isNaN)) throw new Error('a message did not arrive');
  return {
    near: median(nearTimes!),
    far: median(farTimes!),
    added: median(farTimes!.map((time, i) => time - nearTimes![i]!)),
  };
}

/** @returns percent of a processor that a process takes in some seconds */
async function share(pid: number, seconds: number): Promise<number> {
  const before = await cpuMs(pid);
  await sleep(seconds * 1000);
  return ((await cpuMs(pid)) - before) / (seconds * 10);
}

async function flood(url: string, accounts: Account[], seconds: number): Promise<void> {
  const sockets = await Promise.all(accounts.map((account) => openReady(url, { token: account.access_token })));
  let sent = 0;
  const begun = performance.now();
  while (performance.now() - begun < seconds * 1000) {
    const due = ((performance.now() - begun) * LOAD_PER_S) / 1000;
    for (; sent < due; sent++) {
      const i = sent % sockets.length;
      sockets[i]!.emit('message:send', { recipient_id: accounts[i ^ 1]!.id, content: `load ${sent}` }, () => {});
    }
    await sleep(2);
  }
  await sleep(500);
  disconnect(sockets);
}
