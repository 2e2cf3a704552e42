/** Inserts whose answer is lost, by way of a database that knows a repeated write again, and of one that does not. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connect, http, register, registerMany } from '../support/client.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../support/database.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { startWireProxy, type WireProxy } from '../support/wire-proxy.ts';

let database: EmbeddedDatabase;
let proxy: WireProxy;
let server: TestServer;
let other: string;

beforeAll(async () => {
  database = await startEmbeddedDatabase();
  proxy = await startWireProxy(database.url);
  server = await startServer({ env: { MONGODB_URL: proxy.url } });
  other = (await registerMany(server.url, 1))[0]!.id;
});
afterEach(() => {
  proxy.intercept();
  proxy.setRemembering(true);
});
afterAll(async () => {
  await server?.stop();
  await proxy?.close();
  await database?.stop();
});

/** Breaks the connection on which the next insert into a collection was carried out. @returns how often it did */
function loseAnswer(collection: string): () => number {
  let lost = 0;
  proxy.intercept(async (command, pass) => {
    if (lost > 0 || command.name !== 'insert' || command.collection !== collection) return undefined;
    lost++;
    await pass();
    return 'break';
  });
  return () => lost;
}

/** One of everything that is inserted. @returns what is there of it then */
async function useEverything() {
  const account = await register(server.url);
  const device = await connect(server.url, account);
  await device.ok('contact:request', { user_id: other });
  await device.ok('group:create', { name: 'group', member_ids: [other] });
  const { call } = await device.ok('call:initiate', { recipient_id: other, call_type: 'voice' });
  await device.ok('call:end', { call_id: call._id });
  const form = new FormData();
  form.set('file', new Blob(['x'.repeat(100_000)]), 'a.txt');
  const headers = { authorization: `Bearer ${account.access_token}` };
  const uploaded = await fetch(`${server.url}/files`, { method: 'POST', headers, body: form });
  const found = {
    uploaded: uploaded.status,
    sessions: (await http(server.url, 'GET', '/auth/sessions', { token: account.access_token })).json.sessions.length,
    contacts: (await device.ok('contact:list')).contacts.length,
    groups: (await device.ok('group:list')).groups.length,
    calls: (await device.ok('call:history')).calls.length,
  };
  device.close();
  return found;
}

const COLLECTIONS = ['users', 'sessions', 'contacts', 'groups', 'conversations', 'calls', 'pending_uploads', 'files'];

describe.each([true, false])('whether the database knows repeats (%s) or not', (remembers) => {
  it.each(COLLECTIONS)('a new document in %s is stored once', async (collection) => {
    proxy.setRemembering(remembers);
    const lost = loseAnswer(collection);
    expect(await useEverything()).toEqual({ uploaded: 201, sessions: 1, contacts: 1, groups: 1, calls: 1 });
    expect(lost()).toBe(1);
  });
});
