/**
 * Two servers over one database and Redis, a receiver, and messages without pause, while the servers are killed and the
 * receiver goes away. Afterwards the receiver must have had every message as it is stored, in the order of `rev`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { http, registerMany } from '../support/client.ts';
import { startDatabaseAlone } from '../support/database.ts';
import { freePort, startRedis } from '../support/redis.ts';
import { startServerProcess } from '../support/server-process.ts';
import {
  API_KEY,
  makeWebhook,
  startReceiver,
  type TestReceiver,
  WEBHOOK_ENV,
  webhookNamed,
} from '../webhooks/receiver.ts';

const USERS = 12;
/** An edit after so many messages of a writer. */
const EDIT_EVERY = 5;
const REQUEST_MS = 6000;

export interface WebhookChaosOptions {
  /** Messages a second, over all conversations. */
  rate: number;
  /** How often a server is killed and the receiver goes away, one after the other. */
  rounds: number;
  /** How long servers and receiver are gone, and how long all are there in between, in milliseconds. */
  awayMs: number;
  /** How long the receiver may take to catch up at the end, in milliseconds. */
  settleMs: number;
  log(line: string): void;
}

export interface WebhookVerdict {
  acknowledged: number;
  stored: number;
  /** Attempts that the receiver took. */
  received: number;
  /** Messages that the receiver does not have as they are stored. */
  missing: string[];
  /** Events that came after a later one of their conversation, and not as a repeat. */
  outOfOrder: string[];
  /** Messages that came at one `rev` under several ids. */
  doubled: string[];
  /** From the last fault until nothing waited any more, in milliseconds. */
  caughtUpMs: number;
}

export async function runWebhookChaos(options: WebhookChaosOptions): Promise<WebhookVerdict> {
  const { rate, rounds, awayMs, settleMs, log } = options;
  const [database, redis, receiver] = await Promise.all([startDatabaseAlone(), startRedis(), startReceiver()]);
  const ports = [await freePort(), await freePort()];
  const start = (port: number) =>
    startServerProcess({
      env: {
        ...WEBHOOK_ENV,
        PORT: String(port),
        MONGODB_URL: database.url,
        REDIS_URL: redis.url,
        JWT_SECRET: 'one secret for all nodes of the chaos',
      },
    });
  const nodes = await Promise.all(ports.map(start));
  const urls = nodes.map(({ url }) => url);
  try {
    const users = (await registerMany(urls[0]!, USERS)).map(({ id }) => id);
    await makeWebhook(urls[0]!, 'chaos', receiver);
    const writing = startWriters(urls, users, rate);
    for (let round = 0; round < rounds; round++) {
      await pause(awayMs);
      if (round % 2 === 0) {
        const at = (round / 2) % nodes.length;
        log(`server ${at} is killed`);
        await nodes[at]!.kill();
        await pause(awayMs);
        nodes[at] = await start(ports[at]!);
      } else {
        log('the receiver goes away');
        await receiver.away();
        await pause(awayMs);
        await receiver.back();
      }
    }
    const acknowledged = await writing.stop();
    const began = performance.now();
    const until = began + settleMs;
    while ((await webhookNamed(urls[0]!, 'chaos')).behind > 0 && performance.now() < until) await pause(200);
    const caughtUpMs = performance.now() - began;
    const stored = await readAll(urls[0]!, users);
    // What was found a moment ago is told a moment later.
    let verdict = judge(stored, receiver);
    while (verdict.missing.length > 0 && performance.now() < until) {
      await pause(500);
      verdict = judge(stored, receiver);
    }
    return { ...verdict, acknowledged, caughtUpMs };
  } finally {
    await Promise.all(nodes.map((node) => node.kill()));
    await receiver.close();
    await redis.stop();
    await database.stop();
  }
}

const as = (user: string) => ({ token: API_KEY, headers: { 'x-act-as': user } });

/** The one whom a user writes to. */
const peerOf = (users: string[], i: number) => users[(i + 1) % users.length]!;

/** Each user sends and edits, a message after the other, by any server, until it is acknowledged. */
function startWriters(urls: string[], users: string[], rate: number) {
  let stopped = false;
  let acknowledged = 0;

  async function ask(user: string, route: string, body: object) {
    for (let attempt = 0; ; attempt++) {
      const answer = await Promise.race([
        http(urls[attempt % urls.length]!, 'POST', `/api/message/${route}`, { ...as(user), body }),
        pause(REQUEST_MS),
      ]).catch(() => undefined);
      if (answer?.status === 200) return answer.json.data;
      await pause(100);
    }
  }

  async function write(user: string, recipient_id: string): Promise<void> {
    const everyMs = (1000 * users.length) / rate;
    for (let n = 1; !stopped; n++) {
      const next = performance.now() + everyMs;
      const { message } = await ask(user, 'send', {
        recipient_id,
        content: `message ${n}`,
        client_message_id: crypto.randomUUID(),
      });
      acknowledged++;
      if (n % EDIT_EVERY === 0) await ask(user, 'edit', { message_id: message._id, content: `edited ${n}` });
      await pause(Math.max(0, next - performance.now()));
    }
  }

  const writers = users.map((user, i) => write(user, peerOf(users, i)));
  return {
    async stop() {
      stopped = true;
      await Promise.all(writers);
      return acknowledged;
    },
  };
}

interface StoredMessage {
  _id: string;
  conversation_id: string;
  rev: number;
}

/** Every message of every conversation, as it is stored. */
async function readAll(url: string, users: string[]): Promise<StoredMessage[]> {
  const found: StoredMessage[] = [];
  for (const [i, user] of users.entries()) {
    for (let after_seq = 0, more = true; more; ) {
      const body = { recipient_id: peerOf(users, i), after_seq, limit: 200 };
      const { json } = await http(url, 'POST', '/api/message/history', { ...as(user), body });
      found.push(...json.data.messages);
      more = json.data.has_more;
      after_seq = json.data.messages.at(-1)?.seq ?? 0;
    }
  }
  return found;
}

function judge(stored: StoredMessage[], { received, faults }: TestReceiver) {
  const messages = received.filter(({ data }) => data.message);
  const had = new Set(messages.map(({ data: { message } }) => `${message._id} ${message.rev}`));
  const outOfOrder: string[] = [...faults];
  const ids = new Map<string, string>();
  const doubled: string[] = [];
  const last = new Map<string, number>();
  for (const { id, data } of messages) {
    const { conversation_id, rev } = data.message;
    const event = `${conversation_id} ${rev}`;
    const known = ids.get(event);
    if (known !== undefined && known !== id) doubled.push(event);
    if (known === undefined && rev <= (last.get(conversation_id) ?? 0)) outOfOrder.push(event);
    ids.set(event, id);
    last.set(conversation_id, Math.max(rev, last.get(conversation_id) ?? 0));
  }
  return {
    stored: stored.length,
    received: messages.length,
    missing: stored.filter(({ _id, rev }) => !had.has(`${_id} ${rev}`)).map(({ _id, rev }) => `${_id} at ${rev}`),
    outOfOrder,
    doubled,
  };
}
