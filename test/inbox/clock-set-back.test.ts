/** A clock that is set back: a client that was away is told everything all the same, and nobody is shut out. */
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { Message } from '../../shared/contract/documents.ts';
import { type Account, connect, type Device, http, registerMany } from '../support/client.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../support/database.ts';
import { startServerProcess } from '../support/server-process.ts';
import { startWireProxy } from '../support/wire-proxy.ts';

const HOUR_MS = 3_600_000;
const JWT_SECRET = 'the same secret before and after';

let database: EmbeddedDatabase;
beforeAll(async () => {
  database = await startEmbeddedDatabase();
});
afterAll(() => database.stop());

/** A server whose database says that it is so much later. */
async function start(aheadMs: number) {
  const proxy = await startWireProxy(database.url, { aheadMs });
  const server = await startServerProcess({ env: { MONGODB_URL: proxy.url, JWT_SECRET } });
  const stop = async () => {
    await server.stop();
    await proxy.close();
  };
  return { url: server.url, stop };
}

const conversationsOf = async (device: Device, since: string) =>
  (await device.ok('sync', { since })).conversations.map(({ conversation }) => conversation.conversation_id);

it('a sync misses nothing that happened after the clock was set back and the server was started again', async () => {
  const before = await start(HOUR_MS);
  const [a, b, c] = (await registerMany(before.url, 3)) as [Account, Account, Account];
  const away = await connect(before.url, a);
  const { server_time: since } = await away.ok('sync', {});
  await before.stop();

  const after = await start(0);
  onTestFinished(after.stop);
  // Nobody is shut out: the tokens of before still hold.
  const [back, other] = await Promise.all([connect(after.url, a), connect(after.url, b)]);
  expect(await conversationsOf(back, since)).toEqual([]);
  const { message } = await other.ok('message:send', { recipient_id: a.id, content: 'while you were away' });
  const { server_time: later } = await back.ok('sync', { since });
  expect(Date.parse(message.created_at)).toBeGreaterThanOrEqual(Date.parse(since));
  expect(await conversationsOf(back, since)).toEqual([message.conversation_id]);
  const third = await connect(after.url, c);
  const { message: next } = await third.ok('message:send', { recipient_id: a.id, content: 'later' });
  expect(await conversationsOf(back, later)).toContain(next.conversation_id);
});

/** Node options by which a process's wall clock goes back by an hour at a signal. */
const BACK_AT_SIGNAL = `--import=data:text/javascript,${encodeURIComponent(`
  const Real = Date;
  let back = 0;
  process.on('SIGUSR2', () => {
    back = ${HOUR_MS};
  });
  globalThis.Date = class Date extends Real {
    constructor(...given) {
      if (given.length === 0) super(Real.now() - back);
      else super(...given);
    }
    static now() {
      return Real.now() - back;
    }
  };
`)}`;

it('while a server runs, budgets, deadlines, tokens and since go on as if the clock had not been set back', async () => {
  const proxy = await startWireProxy(database.url);
  const server = await startServerProcess({
    env: {
      MONGODB_URL: proxy.url,
      RATE_LIMITS: 'on',
      CALL_RING_TIMEOUT_MS: '2000',
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${BACK_AT_SIGNAL}`,
    },
  });
  onTestFinished(async () => {
    await server.kill();
    await proxy.close();
  });
  const [a, b] = (await registerMany(server.url, 2)) as [Account, Account];
  const [away, other] = await Promise.all([connect(server.url, a), connect(server.url, b)]);
  const send = () => other.raw('message:send', { recipient_id: a.id, content: 'x' });
  const burst = await Promise.all(Array.from({ length: 200 }, send));
  expect(burst.filter(({ error }) => error?.code === 'rate_limited').length).toBeGreaterThan(0);
  const { call } = await other.ok('call:initiate', { recipient_id: a.id, call_type: 'voice' });
  const { server_time: since } = await away.ok('sync', {});

  proxy.commands.length = 0;
  proxy.setAhead(-HOUR_MS);
  server.signal('SIGUSR2');
  // The server notices, asks the database, and notes what it found.
  await expect.poll(() => proxy.commands.some(({ collection }) => collection === 'clock')).toBe(true);

  const answer = async () => ((await send()).data as { message: Message } | undefined)?.message;
  let message: Message | undefined;
  await expect.poll(async () => (message = await answer())).toBeDefined();
  expect(Date.parse(message!.created_at)).toBeGreaterThanOrEqual(Date.parse(since));
  expect(await conversationsOf(away, since)).toEqual([message!.conversation_id]);
  const statusOf = async () => (await other.ok('call:history', {})).calls.find(({ _id }) => _id === call._id)?.status;
  await expect.poll(statusOf).toBe('missed');
  const signedIn = await http(server.url, 'POST', '/auth/login', { body: { login: a.username, password: a.password } });
  for (const token of [a.access_token, signedIn.json.access_token]) {
    expect((await http(server.url, 'GET', '/users/me', { token })).status).toBe(200);
  }
});

it('a since that lies ahead, of whichever clock, counts as none', async () => {
  const server = await start(0);
  onTestFinished(server.stop);
  const [a, b] = (await registerMany(server.url, 2)) as [Account, Account];
  const [one, other] = await Promise.all([connect(server.url, a), connect(server.url, b)]);
  const { message } = await other.ok('message:send', { recipient_id: a.id, content: 'hello' });
  const ahead = new Date(Date.now() + 24 * HOUR_MS).toISOString();
  const answer = await one.ok('sync', { since: ahead });
  expect(answer.conversations).toMatchObject([{ conversation: { conversation_id: message.conversation_id } }]);
  // What it goes on from is right again.
  expect(Date.parse(answer.server_time)).toBeLessThan(Date.parse(ahead));
  await other.ok('message:send', { recipient_id: a.id, content: 'again' });
  expect(await conversationsOf(one, answer.server_time)).toEqual([message.conversation_id]);
});
