/** Load on one side, and what it measures. Users 0 to n - 1 write to users n to 2n - 1. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'socket.io-client';
import type { Side } from './sides.ts';

const TEXT = 'A message of usual length, as people write them: some words, no more.';
const WARM_UP_MS = 1000;
const PAIRS = 32;

interface Pairs {
  senders: Socket[];
  received(): number;
  close(): void;
}

async function connectPairs(side: Side, pairs: number): Promise<Pairs> {
  let received = 0;
  const senders = await Promise.all(Array.from({ length: pairs }, (_, i) => side.connect(i)));
  const receivers = await Promise.all(Array.from({ length: pairs }, (_, i) => side.connect(pairs + i)));
  for (const receiver of receivers) {
    receiver.on(side.event, () => {
      received++;
    });
  }
  return {
    senders,
    received: () => received,
    close: () => {
      for (const socket of [...senders, ...receivers]) socket.disconnect();
    },
  };
}

/** Everything that was acknowledged must have been delivered, or the figure means nothing. */
async function expectDelivered(pairs: Pairs, { sent, acknowledged }: { sent: number; acknowledged: number }) {
  if (acknowledged < sent) console.log(`${sent - acknowledged} of ${sent} messages were refused: the figure is bad`);
  for (const deadline = Date.now() + 10_000; pairs.received() < acknowledged; ) {
    if (Date.now() > deadline) throw new Error(`${acknowledged} acknowledged, ${pairs.received()} delivered`);
    await sleep(20);
  }
}

/**
 * Closed loop: every sender keeps a few messages under way.
 * @returns messages acknowledged per second
 */
export async function throughput(side: Side, seconds = 5, underWay = 8): Promise<number> {
  const pairs = await connectPairs(side, PAIRS);
  const count = { sent: 0, answered: 0, acknowledged: 0 };
  let running = true;
  const next = (socket: Socket, to: number) => {
    count.sent++;
    side.send(socket, to, TEXT, (ok) => {
      count.answered++;
      if (ok) count.acknowledged++;
      if (running) next(socket, to);
    });
  };
  for (const [i, socket] of pairs.senders.entries()) for (let n = 0; n < underWay; n++) next(socket, PAIRS + i);
  await sleep(WARM_UP_MS);
  const from = { at: performance.now(), acknowledged: count.acknowledged };
  await sleep(seconds * 1000);
  const rate = ((count.acknowledged - from.acknowledged) / (performance.now() - from.at)) * 1000;
  running = false;
  while (count.answered < count.sent) await sleep(20);
  await expectDelivered(pairs, count);
  pairs.close();
  return rate;
}

/**
 * Open loop: so many messages each second, whatever happens to them.
 * @param onMeasuring called when the warm-up is over
 * @returns milliseconds from sending to acknowledgement, of each message
 */
export async function latencies(
  side: Side,
  perSecond: number,
  seconds: number,
  onMeasuring: () => unknown = () => {},
): Promise<number[]> {
  const pairs = await connectPairs(side, PAIRS);
  const measured: number[] = [];
  const count = { sent: 0, answered: 0, acknowledged: 0 };
  const startedAt = performance.now();
  let measuring = false;
  for (;;) {
    const now = performance.now();
    if (!measuring && now - startedAt > WARM_UP_MS) {
      measuring = true;
      await onMeasuring();
    }
    if (now - startedAt > WARM_UP_MS + seconds * 1000) break;
    for (const due = ((now - startedAt) * perSecond) / 1000; count.sent < due; count.sent++) {
      const at = performance.now();
      const counts = measuring;
      const pair = count.sent % PAIRS;
      side.send(pairs.senders[pair]!, PAIRS + pair, TEXT, (ok) => {
        count.answered++;
        if (ok) count.acknowledged++;
        if (counts) measured.push(performance.now() - at);
      });
    }
    await sleep(1);
  }
  while (count.answered < count.sent) await sleep(20);
  await expectDelivered(pairs, count);
  pairs.close();
  return measured;
}

/** Connects so many devices, a few at a time. */
export async function connectMany(side: Side, from: number, to: number, atOnce = 25): Promise<Socket[]> {
  const sockets: Socket[] = [];
  let next = from;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < to) sockets.push(await side.connect(next++));
    }),
  );
  return sockets;
}

/** @returns connections made per second, until each is ready */
export async function connectionRate(side: Side, users: number): Promise<number> {
  for (const socket of await connectMany(side, 0, Math.min(100, users))) socket.disconnect();
  await sleep(500);
  const startedAt = performance.now();
  const sockets = await connectMany(side, 0, users);
  const rate = (users / (performance.now() - startedAt)) * 1000;
  for (const socket of sockets) socket.disconnect();
  await sleep(500);
  return rate;
}

/**
 * The slope between many and more connections, so that what a process needs once does not count.
 * @returns bytes per idle connection
 */
export async function memoryPerConnection(side: Side, users: number): Promise<number> {
  const base = Math.floor(users / 4);
  const sockets = await connectMany(side, 0, base);
  await sleep(3000);
  const before = await side.memory();
  sockets.push(...(await connectMany(side, base, users)));
  await sleep(3000);
  const after = await side.memory();
  for (const socket of sockets) socket.disconnect();
  await sleep(500);
  return (after - before) / (users - base);
}

/**
 * One message at a time to a group in which everybody is connected.
 * @param send sends one message to the group
 * @returns microseconds per recipient, the median of the messages
 */
export async function groupTimes(
  side: Side,
  sockets: Socket[],
  messages: number,
  send: (socket: Socket) => void,
): Promise<number[]> {
  const sender = sockets[0]!;
  let received = 0;
  let all: () => void = () => {};
  for (const socket of sockets.slice(1)) {
    socket.on(side.event, () => {
      received++;
      if (received === sockets.length - 1) all();
    });
  }
  const times: number[] = [];
  for (let i = 0; i < messages; i++) {
    received = 0;
    const everybody = new Promise<void>((resolve) => {
      all = resolve;
    });
    const startedAt = performance.now();
    send(sender);
    await everybody;
    times.push(((performance.now() - startedAt) * 1000) / (sockets.length - 1));
    await sleep(5);
  }
  return times;
}
