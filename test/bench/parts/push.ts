/** What push costs those who send, where half of the recipients are away and everybody uses it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'socket.io-client';
import { browser } from '../../push/support/rfc8291.ts';
import { http } from '../../support/client.ts';
import { type Bench, inTurns } from '../bench.ts';
import { closedLoop, type LoopResult } from '../closed-loop.ts';
import { connectMany, disconnect } from '../devices.ts';
import { compared, median, percentile } from '../measurement.ts';
import { openLoop } from '../open-loop.ts';
import type { Part } from '../part.ts';
import type { LetsApp } from '../sides.ts';

const PAIRS = 30;
const OPTIONS = { seconds: 4, underWay: 2 };
const PACE = { perSecond: 200, seconds: 6 };
/** Until everything that was sent was pushed, or acknowledged, in milliseconds. */
const QUIET_MS = 30_000;

export const push: Part = {
  about: `${PAIRS} pairs, half of the recipients away: without subscriptions and with one of each user; at ${PACE.perSecond} messages a second, then closed loop`,
  isAlone: true,
  rows: {
    paced: {
      what: `sends as fast (1 / acknowledgement p50) at ${PACE.perSecond}/s where all use push and half of the recipients are away`,
      unit: '/s',
      against: 'without subscriptions',
      target: { of: 'ratio', atLeast: 0.9 },
    },
    paced_p99: {
      what: 'acknowledgement p99 at that rate',
      unit: 'ms',
      against: 'without subscriptions',
    },
    sends: {
      what: 'highest rate of pair messages where all use push and half of the recipients are away',
      unit: '/s',
      against: 'without subscriptions',
    },
    pushes: { what: 'pushes per second meanwhile', unit: '/s' },
  },
  async run(bench) {
    const service = await startPushService(bench);
    const app = await bench.ownApp();
    await app.restart({ PUSH_ALLOW_PRIVATE: 'on' });
    // The first pairs use no push, the others do.
    await app.populate(PAIRS * 4);
    for (let user = PAIRS * 2; user < PAIRS * 4; user++) await subscribe(app, user, service.url);
    const paced = await inTurns(
      () => sendAtPace(app, 0),
      async () => {
        const times = await sendAtPace(app, PAIRS * 2);
        await untilQuiet(app);
        return times;
      },
    );
    const pushes: number[] = [];
    const rounds = await inTurns(
      () => sendWithHalfAway(app, 0),
      async () => {
        const before = service.count();
        const began = performance.now();
        const result = await sendWithHalfAway(app, PAIRS * 2);
        pushes.push(((service.count() - before) / (performance.now() - began)) * 1000);
        await untilQuiet(app);
        return result;
      },
    );
    return {
      measurements: {
        paced: compared(paced.map(([without, beside]) => ({ against: speed(without), measured: speed(beside) }))),
        paced_p99: compared(
          paced.map(([without, beside]) => ({
            against: percentile(without, 0.99),
            measured: percentile(beside, 0.99),
          })),
        ),
        sends: {
          ...compared(rounds.map(([without, beside]) => ({ against: without.perSecond, measured: beside.perSecond }))),
          cpu: { ours: median(rounds.map(([, { cpu }]) => cpu.server + cpu.store)) },
        },
        pushes: { measured: median(pushes) },
      },
    };
  },
};

/** A push service that takes everything. */
async function startPushService(bench: Bench): Promise<{ url: string; count(): number }> {
  let count = 0;
  const server = createServer((request, response) => {
    count++;
    request.resume();
    response.writeHead(201).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  bench.own({
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, count: () => count };
}

async function subscribe(app: LetsApp, user: number, serviceUrl: string): Promise<void> {
  const { subscription } = browser(`${serviceUrl}/${user}`);
  const body = { provider: 'webpush', subscription };
  const { status } = await http(app.url, 'POST', '/api/push/subscribe', {
    token: app.accounts[user]!.access_token,
    body,
  });
  if (status !== 200) throw new Error(`push:subscribe was answered ${status}`);
}

/** Sends one after the other by one device: the inverse of the median of milliseconds. */
const speed = (times: number[]) => 1000 / median(times);

interface HalfAway {
  /** Begins a message of a pair, and says when it was answered, and whether well. */
  send(pair: number, ended: (ok: boolean) => void): void;
  leave(): void;
}

/** @param from the number of the first sender; the recipients follow the senders, the second half of them is away */
async function connectHalf(app: LetsApp, from: number): Promise<HalfAway> {
  const senders = await connectMany(app, from, from + PAIRS);
  const recipients = await connectMany(app, from + PAIRS, from + PAIRS + PAIRS / 2);
  for (const [pair, recipient] of recipients.entries()) acknowledge(recipient, app.id(from + pair));
  return {
    send(pair, ended) {
      const payload = { recipient_id: app.id(from + PAIRS + pair), content: 'A message of usual length, as they are.' };
      senders[pair]!.emit('message:send', payload, ({ ok }: { ok: boolean }) => ended(ok));
    },
    leave: () => disconnect([...senders, ...recipients]),
  };
}

/** @returns milliseconds from sending to acknowledgement, of each message */
async function sendAtPace(app: LetsApp, from: number): Promise<number[]> {
  const pairs = await connectHalf(app, from);
  const { latencies } = await openLoop((number, ended) => pairs.send(number % PAIRS, ended), PACE);
  pairs.leave();
  return latencies;
}

async function sendWithHalfAway(app: LetsApp, from: number): Promise<LoopResult> {
  const pairs = await connectHalf(app, from);
  const result = await closedLoop(app, PAIRS, pairs.send, OPTIONS);
  if (result.refused > 0) throw new Error(`${result.refused} messages were refused`);
  pairs.leave();
  return result;
}

function acknowledge(recipient: Socket, sender: string): void {
  recipient.on('message:new', ({ message }: { message: { seq: number } }) => {
    recipient.emit('message:delivered', { recipient_id: sender, up_to_seq: message.seq }, () => {});
  });
}

/** What waits would fall on the next round. */
async function untilQuiet(app: LetsApp): Promise<void> {
  for (const deadline = Date.now() + QUIET_MS; (await app.metric('letsapp_push_waiting')) > 0; await sleep(200)) {
    if (Date.now() > deadline) throw new Error('pushes still wait');
  }
}
