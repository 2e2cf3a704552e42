/**
 * A server with many connected devices is killed and started again, and all of them come back at once.
 * `npm run storm -- [devices]` for 5,000 or any other number; the tests do fewer.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'socket.io-client';
import { type Account, register } from '../support/client.ts';
import { freePort } from '../support/redis.ts';
import { startServerProcess } from '../support/server-process.ts';
import { openSocket } from '../support/sockets.ts';

const DEVICES_OF_A_USER = 5;
/** Devices that connect at once the first time. */
const AT_ONCE = 50;
const MOST_MS = 180_000;

export interface StormReport {
  devices: number;
  /** Devices that were told `session:ready` again. */
  back: number;
  /** Codes of the contract with which a device was refused meanwhile. */
  refusals: string[];
  /** From the start of the server until the last device was back. */
  seconds: number;
  /** Messages acknowledged while they came back, and of these those that did not reach their recipient. */
  acknowledged: number;
  undelivered: number;
}

interface Returning {
  account: Account;
  socket: Socket;
  readyCount: number;
}

/** @param devices how many there are; each user has five */
export async function storm(devices: number): Promise<StormReport> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'letsapp-storm-'));
  const env = { PORT: String(await freePort()) };
  let server = await startServerProcess({ dataDir, env });
  const all: Returning[] = [];
  const refusals: string[] = [];
  try {
    const accounts: Account[] = [];
    while (accounts.length * DEVICES_OF_A_USER < devices) {
      accounts.push(...(await Promise.all(Array.from({ length: 10 }, () => register(server.url)))));
    }
    while (all.length < devices) {
      const next = Array.from({ length: Math.min(AT_ONCE, devices - all.length) }, (_, i) =>
        connectDevice(server.url, accounts[(all.length + i) % accounts.length]!, refusals),
      );
      all.push(...next);
      await until(() => next.every((device) => device.readyCount > 0));
    }
    const traffic = countMessages(all);
    await server.kill();
    const startedAt = performance.now();
    server = await startServerProcess({ dataDir, env });
    const isBack = ({ readyCount }: Returning) => readyCount > 1;
    const writing = traffic.write(all.slice(0, 20), () => all.every(isBack));
    await until(() => all.every(isBack)).catch(() => {});
    const seconds = (performance.now() - startedAt) / 1000;
    await writing;
    return {
      devices,
      back: all.filter(isBack).length,
      refusals,
      seconds,
      acknowledged: traffic.acknowledged.size,
      undelivered: await traffic.undelivered(),
    };
  } finally {
    for (const { socket } of all) socket.disconnect();
    await server.kill();
    await rm(dataDir, { recursive: true, force: true });
  }
}

function connectDevice(url: string, account: Account, refusals: string[]): Returning {
  const token = account.access_token;
  const socket = openSocket(
    url,
    { token },
    {
      reconnection: true,
      reconnectionDelay: 100,
      reconnectionDelayMax: 1000,
    },
  );
  const device: Returning = { account, socket, readyCount: 0 };
  socket.on('session:ready', () => {
    device.readyCount++;
  });
  socket.on('connect_error', (error: Error & { data?: { code?: string } }) => {
    if (error.data?.code) refusals.push(error.data.code);
  });
  return device;
}

/** What those who are back write to each other while the others come, and what of it arrives. */
function countMessages(devices: Returning[]) {
  const acknowledged = new Set<string>();
  const arrived = new Set<string>();
  for (const { socket } of devices) {
    socket.on('message:new', ({ message }: { message: { _id: string } }) => arrived.add(message._id));
  }
  return {
    acknowledged,
    async write(writers: Returning[], isOver: () => boolean) {
      for (let round = 0; round === 0 || !isOver(); round++) {
        await Promise.all(
          writers.map(async ({ socket, readyCount }, i) => {
            const recipient = writers[(i + 1) % writers.length]!;
            if (readyCount < 2 || recipient.readyCount < 2) return;
            const recipient_id = recipient.account.id;
            const answer = await socket
              .timeout(10_000)
              .emitWithAck('message:send', { recipient_id, content: `round ${round}` })
              .catch(() => undefined);
            if (answer?.ok) acknowledged.add(answer.data.message._id);
          }),
        );
        await sleep(200);
      }
    },
    async undelivered() {
      const missing = () => [...acknowledged].filter((id) => !arrived.has(id)).length;
      await until(() => missing() === 0, 10_000).catch(() => {});
      return missing();
    },
  };
}

async function until(holds: () => boolean, ms = MOST_MS): Promise<void> {
  for (const deadline = Date.now() + ms; !holds(); await sleep(20)) {
    if (Date.now() > deadline) throw new Error('it did not come to that in time');
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  console.log(await storm(Number(process.argv[2] ?? 5000)));
  process.exit(0);
}
