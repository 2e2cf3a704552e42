/** The server against a replica set whose answers are those of a failover, an overload, or a lost connection. */
import type { Document } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Message } from '../../shared/contract/documents.ts';
import { paceOf } from '../http/pace.ts';
import { connect, type Device, http, registerMany, uniqueName } from '../support/client.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../support/database.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { failure, startWireProxy, type WireProxy, writeError } from '../support/wire-proxy.ts';

let database: EmbeddedDatabase;
let proxy: WireProxy;
let server: ServerProcess;
let a: Device;
let b: Device;
/** A message of `a`. */
let old: Message;

beforeAll(async () => {
  database = await startEmbeddedDatabase();
  proxy = await startWireProxy(database.url);
  server = await startServerProcess({ env: { MONGODB_URL: proxy.url, LOG_LEVEL: 'error' } });
  const [one, other] = await registerMany(server.url, 2);
  a = await connect(server.url, one!);
  b = await connect(server.url, other!);
  old = (await a.ok('message:send', { recipient_id: b.id, content: 'old' })).message;
});

afterEach(() => {
  proxy.intercept();
  proxy.setRemembering(true);
});

afterAll(async () => {
  await server?.kill();
  await proxy?.close();
  await database?.stop();
});

const readiness = async () => (await http(server.url, 'GET', '/readyz')).status;
const message = (content = uniqueName('text')) => ({
  recipient_id: b.id,
  content,
  client_message_id: uniqueName('id'),
});
/** The texts of the conversation as they are stored. */
const texts = async () => {
  const { messages } = await b.ok('message:history', { recipient_id: a.id, limit: 100 });
  return messages.map(({ content }) => content);
};
const isInsert = ({ name, collection }: { name: string; collection: string }) =>
  name === 'insert' && collection === 'messages';

/** Refuses the next commands that match, as often as told. */
function refuse(matches: Parameters<WireProxy['commands']['filter']>[0], reply: Document, times: number): void {
  let left = times;
  proxy.intercept((command) => (matches(command, 0, []) && left-- > 0 ? reply : undefined));
}

// A read of the others fails the same way; each of those at the end costs seconds, as the driver looks for a primary.
const CODES = [6, 7, 43, 50, 64, 89, 100, 112, 133, 134, 262, 365, 9001, 91, 10107];

describe('what the database asks to try again is `unavailable`, never `internal`', () => {
  it.each(CODES)('code %i of a read and of a write, and inside the write errors of a batch', async (code) => {
    // More often than the driver tries.
    refuse(({ name, collection }) => name === 'find' && collection === 'messages', failure(code), 10);
    expect((await b.refused('message:history', { recipient_id: a.id })).code).toBe('unavailable');
    refuse(({ name, collection }) => name === 'update' && collection === 'messages', failure(code), 10);
    expect((await a.refused('message:edit', { message_id: old._id, content: 'new' })).code).toBe('unavailable');
    for (const reply of [failure(code), writeError(code)]) {
      refuse(({ name, collection }) => name === 'update' && collection === 'memberships', reply, 10);
      expect((await a.refused('conversation:update', { recipient_id: b.id, pinned: true })).code).toBe('unavailable');
    }
    for (const reply of [failure(code), writeError(code)]) {
      const sent = message();
      refuse(isInsert, reply, 10);
      expect((await a.refused('message:send', sent)).code).toBe('unavailable');
      proxy.intercept();
      expect(await a.ok('message:send', sent)).toMatchObject({ message: { content: sent.content } });
    }
  });

  it.each(['SystemOverloadedError', 'RetryableError', 'RetryableWriteError'])('the label %s', async (label) => {
    const sent = message();
    refuse(isInsert, failure(999, [label]), 100);
    expect((await a.refused('message:send', sent)).code).toBe('unavailable');
  });

  it.each([64, 91, 11600, 79])(
    'a write concern error with code %i: what was stored is found by the repeat',
    async (code) => {
      const sent = message();
      let left = 2;
      proxy.intercept(async (command, pass) => {
        if (!isInsert(command) || left-- === 0) return undefined;
        return { ...(await pass()), writeConcernError: { code, errmsg: 'not by a majority' } };
      });
      const refused = await a.refused('message:send', sent);
      expect(refused).toMatchObject({ code: 'unavailable', message: expect.stringContaining('not known') });
      proxy.intercept();
      expect(await a.ok('message:send', sent)).toMatchObject({ duplicate: true });
      expect((await texts()).filter((text) => text === sent.content)).toHaveLength(1);
    },
  );

  it('and what it cannot mean by that stays `internal`', async () => {
    refuse(isInsert, failure(121), 10);
    expect((await a.refused('message:send', message())).code).toBe('internal');
    refuse(isInsert, writeError(121), 10);
    expect((await a.refused('message:send', message())).code).toBe('internal');
  });
});

describe('a send whose answer was lost', () => {
  /** Breaks the connection on which the next insert of messages was carried out. */
  function loseAnswer(): void {
    let lost = false;
    proxy.intercept(async (command, pass) => {
      if (lost || !isInsert(command)) return undefined;
      lost = true;
      await pass();
      return 'break';
    });
  }

  it.each([
    ['is answered by the database, which knows the repeat', true],
    ['is found by its id where the database knows nothing of the repeat', false],
  ])('%s', async (_how, remembers) => {
    proxy.setRemembering(remembers);
    a.clear();
    b.clear();
    loseAnswer();
    const [first, ...others] = [message(), { recipient_id: b.id, content: uniqueName('no id') }, message()];
    // The first goes alone; the others wait for it and go together.
    const answers = await Promise.all([first!, ...others].map((payload) => a.ok('message:send', payload)));
    loseAnswer();
    const together = await Promise.all([message(), message(), message()].map((each) => a.ok('message:send', each)));
    const acknowledged = [...answers, ...together];
    expect(acknowledged.map(({ duplicate }) => duplicate)).toEqual(Array(6).fill(undefined));
    const seqs = acknowledged.map(({ message }) => message.seq);
    expect(seqs).toEqual(seqs.map((_, i) => seqs[0]! + i));
    await b.next('message:new', (payload) => payload.message.seq === seqs.at(-1));
    expect(b.seen('message:new').map((payload) => payload.message.seq)).toEqual(seqs);
    expect(a.seen('message:new')).toEqual([]);
  });

  it('is told of once where another one with its client_message_id had been stored', async () => {
    const sent = message();
    await a.ok('message:send', sent);
    proxy.setRemembering(false);
    loseAnswer();
    expect(await a.ok('message:send', sent)).toMatchObject({ duplicate: true });
    expect((await texts()).filter((text) => text === sent.content)).toHaveLength(1);
  });

  it('and an edit are carried out once, and acknowledged', async () => {
    for (const remembers of [true, false]) {
      proxy.setRemembering(remembers);
      let lost = false;
      proxy.intercept(async (command, pass) => {
        if (lost || command.name !== 'findAndModify' || command.collection !== 'messages') return undefined;
        lost = true;
        await pass();
        return 'break';
      });
      const content = uniqueName('edited');
      const { message: edited } = await a.ok('message:edit', { message_id: old._id, content });
      expect(edited.content).toBe(content);
      await b.next('message:updated', (payload) => payload.message.content === content);
    }
  });
});

describe('while a primary is elected', () => {
  it('a command waits for it, and is carried out once', async () => {
    proxy.setPrimary(false);
    const sent = message();
    const startedAt = performance.now();
    const answer = a.ok('message:send', sent);
    setTimeout(() => proxy.setPrimary(true), 1500);
    expect((await answer).message.content).toBe(sent.content);
    expect(performance.now() - startedAt).toBeGreaterThan(1000);
    expect((await texts()).filter((text) => text === sent.content)).toHaveLength(1);
  });

  it('for longer, commands that came meanwhile are refused within 5 s and not carried out afterwards', async () => {
    const paceMs = await paceOf(server.url);
    proxy.setPrimary(false);
    // Until the driver has noticed.
    await expect.poll(readiness).toBe(503);
    const sent = message();
    const group = { name: uniqueName('group'), member_ids: [b.id] };
    const startedAt = performance.now();
    const refusals = await Promise.all([
      a.refused('message:send', sent),
      a.refused('group:create', group),
      a.refused('conversation:list'),
      http(server.url, 'POST', '/auth/register', {
        body: { username: uniqueName(), email: `${uniqueName()}@example.test`, password: 'Correct-horse-9' },
      }).then(({ json }) => json.error),
      http(server.url, 'GET', '/users/me', { token: a.account.access_token }).then(({ json }) => json.error),
    ]);
    const took = performance.now() - startedAt;
    proxy.setPrimary(true);
    expect(refusals.map(({ code }) => code)).toEqual(Array(5).fill('unavailable'));
    expect(took).toBeLessThan(5000 + paceMs);
    await expect.poll(readiness).toBe(200);
    expect(await texts()).not.toContain(sent.content);
    expect((await a.ok('group:list')).groups.map(({ name }) => name)).not.toContain(group.name);
    expect(await a.ok('message:send', sent)).not.toHaveProperty('duplicate');
  });
});

describe('every command to the database', () => {
  it('reads what a majority has from the primary, and writes to a majority’s journal under a transaction number', async () => {
    proxy.commands.length = 0;
    await a.ok('message:send', message());
    await b.ok('message:history', { recipient_id: a.id });
    const { session_id } = a.account;
    await http(server.url, 'GET', '/auth/sessions', { token: a.account.access_token });
    expect(session_id).toBeDefined();
    const reads = proxy.commands.filter(({ name }) => ['find', 'aggregate'].includes(name));
    const writes = proxy.commands.filter(({ name }) => ['insert', 'update', 'findAndModify'].includes(name));
    expect(reads.length).toBeGreaterThan(0);
    expect(writes.length).toBeGreaterThan(0);
    for (const { body } of reads) {
      expect(body).toMatchObject({ readConcern: { level: 'majority' } });
      expect(body.$readPreference ?? { mode: 'primary' }).toEqual({ mode: 'primary' });
    }
    for (const { body } of writes) {
      expect(body.writeConcern).toEqual({ w: 'majority', j: true });
      if (body.updates?.every((update: Document) => !update.multi) ?? true) expect(body).toHaveProperty('txnNumber');
    }
  });
});
