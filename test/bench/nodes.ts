/**
 * Two nodes against two bare ones with the Redis adapter, in one run: what the way to the other node adds to a message's
 * delivery, and what a node spends on messages that concern nobody on it. Storing a message takes the same time
 * wherever it is delivered, so each message is timed on two devices, one near and one far.
 * Alone: `npm run bench -- nodes`.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'socket.io-client';
import { type Account, registerMany } from '../support/client.ts';
import { startDatabaseAlone } from '../support/database.ts';
import { startRedis } from '../support/redis.ts';
import { startProgram, startServer } from '../support/server.ts';
import { openReady } from '../support/sockets.ts';
import { atMost, percentile, print, type Row } from './figures.ts';

const MESSAGES = 1000;
const RATE_PER_S = 200;
const IDLE_S = 5;
const LOAD_PER_S = 1000;
const PAIRS = 32;
/** Of the kernel's clock, by which it counts what a process spends. */
const TICKS_PER_S = 100;

interface Times {
  /** Milliseconds from sending to arrival on the same node, and on the other one: medians. */
  near: number;
  far: number;
  /** By how much later it arrives on the other node: the median over all messages. */
  added: number;
}

async function measure(send: (text: string) => void, near: Socket, far: Socket, event: string): Promise<Times> {
  const sentAt = new Map<string, number>();
  const arrivals = [near, far].map((socket) => {
    const times = new Map<string, number>();
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
    near: percentile(nearTimes!, 0.5),
    far: percentile(farTimes!, 0.5),
    added: percentile(
      farTimes!.map((time, i) => time - nearTimes![i]!),
      0.5,
    ),
  };
}

/** What a process has spent, in milliseconds of one processor: fields 14 and 15 of proc(5)'s stat. */
async function spent(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_S;
}

async function share(pid: number, seconds: number): Promise<number> {
  const before = await spent(pid);
  await sleep(seconds * 1000);
  return ((await spent(pid)) - before) / (seconds * 10);
}

async function flood(url: string, accounts: Account[], seconds: number): Promise<number> {
  const sockets = await Promise.all(
    accounts.map((account) => openReady(url, { token: account.access_token }, 'session:ready')),
  );
  let acknowledged = 0;
  let sent = 0;
  const begun = performance.now();
  while (performance.now() - begun < seconds * 1000) {
    const due = ((performance.now() - begun) * LOAD_PER_S) / 1000;
    for (; sent < due; sent++) {
      const i = sent % sockets.length;
      const recipient_id = accounts[i ^ 1]!.user._id;
      sockets[i]!.emit('message:send', { recipient_id, content: `load ${sent}` }, () => acknowledged++);
    }
    await sleep(2);
  }
  await sleep(500);
  for (const socket of sockets) socket.disconnect();
  return acknowledged / seconds;
}

export async function benchNodes(): Promise<Row[]> {
  const [database, redis] = await Promise.all([startDatabaseAlone(), startRedis()]);
  const relays = [];
  for (let i = 0; i < 2; i++) relays.push(await startProgram('test/bench/relay-nodes.ts', { REDIS_URL: redis.url }));
  const env = { MONGODB_URL: database.url, REDIS_URL: redis.url, JWT_SECRET: 'the same secret on both of the nodes' };
  const nodes = [await startServer({ env }), await startServer({ env })];
  try {
    const bareSockets = await Promise.all([
      openReady(relays[0]!.url, { user: 1 }, 'connect'),
      openReady(relays[0]!.url, { user: 2 }, 'connect'),
      openReady(relays[1]!.url, { user: 2 }, 'connect'),
    ]);
    const bareSend = (content: string) => bareSockets[0].emit('send', { to: 'user:2', content }, () => {});
    const bare = await measure(bareSend, bareSockets[1], bareSockets[2], 'message');
    const accounts = await registerMany(nodes[0]!.url, PAIRS * 2);
    const [one, other] = [{ token: accounts[0]!.access_token }, { token: accounts[1]!.access_token }];
    const sockets = await Promise.all([
      openReady(nodes[0]!.url, one, 'session:ready'),
      openReady(nodes[0]!.url, other, 'session:ready'),
      openReady(nodes[1]!.url, other, 'session:ready'),
    ]);
    const recipient_id = accounts[1]!.user._id;
    const send = (content: string) => sockets[0].emit('message:send', { recipient_id, content }, () => {});
    const ours = await measure(send, sockets[1], sockets[2], 'message:new');
    for (const socket of [...bareSockets, ...sockets]) socket.disconnect();
    await sleep(500);
    const idle = await share(nodes[1]!.pid, IDLE_S);
    const [rate, beside] = await Promise.all([
      flood(nodes[0]!.url, accounts, IDLE_S + 2),
      sleep(1000).then(() => share(nodes[1]!.pid, IDLE_S)),
    ]);
    console.log(
      `a node without a member of any conversation: ${idle.toFixed(1)} % of a processor when all is quiet, ` +
        `${beside.toFixed(1)} % beside ${Math.round(rate)} messages/s on the other node`,
    );
    console.log(
      `from sending to arrival, p50: bare ${bare.near.toFixed(2)} ms near, ${bare.far.toFixed(2)} ms far; ` +
        `stored first ${ours.near.toFixed(2)} ms near, ${ours.far.toFixed(2)} ms far`,
    );
    return [
      // The bare delivery, with our way between the nodes in place of the adapter's.
      atMost('delivery across two nodes p50, storing apart', bare.far, bare.near + ours.added, 1.5, 'ms'),
      atMost('a node beside 1,000 messages/s of others, against quiet + 1 %', idle + 1, beside, 1, '%'),
    ];
  } finally {
    for (const { child } of relays) child.kill('SIGKILL');
    await Promise.all(nodes.map((node) => node.kill()));
    await redis.stop();
    await database.stop();
  }
}

if (process.argv[1] === import.meta.filename) print(await benchNodes());
