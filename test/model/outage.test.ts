import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { paceOf } from '../http/pace.ts';
import { connect, type Device, http, registerMany } from '../support/client.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../support/database.ts';
import { startProxy, type Way } from '../support/proxy.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';

let database: EmbeddedDatabase;
let way: Way;
let server: ServerProcess;
let url: string;
let a: Device;
let b: Device;

beforeAll(async () => {
  database = await startEmbeddedDatabase();
  way = await startProxy(Number(new URL(database.url).port));
  server = await startServerProcess({ env: { MONGODB_URL: `mongodb://127.0.0.1:${way.port}/letsapp` } });
  url = server.url;
  const [one, other] = await registerMany(url, 2);
  a = await connect(url, one!);
  b = await connect(url, other!);
});

afterAll(async () => {
  await server?.kill();
  await way?.close();
  await database?.stop();
});

const readiness = async () => (await http(url, 'GET', '/readyz')).status;

afterEach(async () => {
  way.pass();
  await expect.poll(readiness, { timeout: 30_000 }).toBe(200);
});

describe.each([
  ['is cut off', () => way.cut()],
  ['does not answer', () => way.hang()],
])('while the database %s', (name, lose) => {
  it('commands are refused as unavailable within 5 s, sockets stay, and a repeated send is stored once', async () => {
    b.clear();
    const paceMs = await paceOf(url);
    lose();
    const payload = { recipient_id: b.id, content: name, client_message_id: name };
    const startedAt = performance.now();
    const refusals = await Promise.all([
      a.refused('message:send', payload),
      a.refused('conversation:list'),
      b.refused('message:history', { recipient_id: a.id }),
    ]);
    expect(performance.now() - startedAt).toBeLessThan(5000 + paceMs);
    const log = server.output();
    expect(
      refusals.map((refusal) => refusal.code),
      log,
    ).toEqual(['unavailable', 'unavailable', 'unavailable']);
    expect(await readiness()).toBe(503);
    expect(a.socket.connected && b.socket.connected).toBe(true);
    way.pass();
    await expect.poll(readiness, { timeout: 30_000 }).toBe(200);
    const { message } = await a.ok('message:send', payload);
    await b.next('message:new', (payload) => payload.message._id === message._id);
    const { messages } = await b.ok('message:history', { recipient_id: a.id });
    expect(messages.filter(({ content }) => content === name)).toHaveLength(1);
    expect(b.seen('message:new')).toHaveLength(1);
  });
});

describe('while the database is slow', () => {
  it('everything still works, only later', async () => {
    way.pass(100);
    const { message } = await a.ok('message:send', { recipient_id: b.id, content: 'slowly' });
    expect((await b.next('message:new', (payload) => payload.message.content === 'slowly')).message).toEqual(message);
    expect(await readiness()).toBe(200);
  });
});
