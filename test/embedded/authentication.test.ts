import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BSON, type Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { DatabaseProcess } from '../differential/harness.ts';
import { startDatabase, stop } from '../differential/harness.ts';

const PASSWORD = 'pässwörd, = %';
let folder: string;
let database: DatabaseProcess;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'letsapp-authentication-'));
  database = await startDatabase(folder, { DATABASE_PASSWORD: PASSWORD });
});
afterAll(async () => {
  await stop(database.child);
  await rm(folder, { recursive: true, force: true });
});

/** Asks for something with these credentials. */
async function count(user: string, password: string, options = ''): Promise<number> {
  const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`;
  const client = new MongoClient(database.url.replace('//', `//${login}`) + options, {
    serverSelectionTimeoutMS: 5000,
  });
  try {
    return await client.db().collection('docs').countDocuments();
  } finally {
    await client.close();
  }
}

/** A connection that sends one command after the other. */
function open() {
  const socket = connect(Number(new URL(database.url).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const replies: ((reply: Document) => void)[] = [];
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= rest.readInt32LE(0)) {
      replies.shift()!(BSON.deserialize(rest.subarray(21, rest.readInt32LE(0))));
      rest = rest.subarray(rest.readInt32LE(0));
    }
  });
  return {
    socket,
    send(command: Document): Promise<Document> {
      const body = BSON.serialize({ ...command, $db: 'admin' });
      const header = Buffer.alloc(21);
      header.writeInt32LE(header.length + body.length, 0);
      header.writeInt32LE(2013, 12);
      socket.write(Buffer.concat([header, body]));
      return new Promise((resolve) => replies.push(resolve));
    },
  };
}

const binary = (text: string) => new BSON.Binary(Buffer.from(text));
const textOf = ({ payload }: Document) => Buffer.from(payload.buffer).toString();
const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const FIRST = 'n=user,r=fyko+d2lbbFgONRv9qkxdawL';

/** The client's final message. Source: RFC 5802, section 3. */
function finalOf(challenge: string, password: string, first = FIRST): { final: string; verifier: string } {
  const [, nonce, salt, iterations] = /^r=(.+),s=(.+),i=(\d+)$/.exec(challenge)!;
  const salted = pbkdf2Sync(password, Buffer.from(salt!, 'base64'), Number(iterations), 32, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  const message = `${first},${challenge},c=biws,r=${nonce}`;
  const signature = hmac(createHash('sha256').update(clientKey).digest(), message);
  const proof = clientKey.map((byte, at) => byte ^ signature[at]!);
  const verifier = hmac(hmac(salted, 'Server Key'), message).toString('base64');
  return { final: `c=biws,r=${nonce},p=${Buffer.from(proof).toString('base64')}`, verifier };
}

describe('a database with a password', () => {
  it('prints its address without it', () => {
    expect(database.url).toMatch(/^mongodb:\/\/127\.0\.0\.1:\d+\/letsapp$/);
  });

  it.each([
    ['letsapp', ''],
    ['a,b=c', ''],
    ['letsapp', '?authSource=admin'],
    ['letsapp', '?authMechanism=SCRAM-SHA-256'],
  ])('serves drivers that know it, as %s%s', async (user, options) => {
    expect(await count(user, PASSWORD, options)).toBe(0);
  });

  it.each(['', 'passwörd, = %', `${PASSWORD} `])('refuses those that say "%s"', async (password) => {
    await expect(count('letsapp', password)).rejects.toThrow();
  });

  it('names the refusal as MongoDB does', async () => {
    const refusal = { code: 18, codeName: 'AuthenticationFailed' };
    await expect(count('letsapp', 'wrong')).rejects.toMatchObject(refusal);
    await expect(count('letsapp', PASSWORD, '?authMechanism=SCRAM-SHA-1')).rejects.toMatchObject({ code: 334 });
  });

  it('does nothing for a client that has not authenticated, but greet it', async () => {
    const { send } = open();
    expect(await send({ hello: 1, saslSupportedMechs: 'letsapp.letsapp' })).toMatchObject({
      ok: 1,
      saslSupportedMechs: ['SCRAM-SHA-256'],
    });
    expect(await send({ ping: 1 })).toMatchObject({ ok: 1 });
    for (const command of ['find', 'insert', 'listDatabases', 'dropDatabase', 'getMore', 'buildInfo', 'endSessions']) {
      expect(await send({ [command]: 1 })).toMatchObject({ ok: 0, code: 13, codeName: 'Unauthorized' });
    }
  });

  it('closes the connection of one that sends much before it has authenticated', async () => {
    const { socket } = open();
    const header = Buffer.alloc(16);
    header.writeInt32LE(1_000_000, 0);
    header.writeInt32LE(2013, 12);
    socket.write(header);
    await new Promise((resolve) => socket.once('close', resolve));
  });

  it('speaks SCRAM-SHA-256, also with the empty message at the end, and proves that it knows the password', async () => {
    const { send } = open();
    const start = { saslStart: 1, mechanism: 'SCRAM-SHA-256', payload: binary(`n,,${FIRST}`) };
    const challenge = await send(start);
    expect(challenge).toMatchObject({ ok: 1, done: false });
    const { final, verifier } = finalOf(textOf(challenge), PASSWORD);
    const { conversationId } = challenge;
    const answer = await send({ saslContinue: 1, conversationId, payload: binary(final) });
    expect([answer.ok, answer.done, textOf(answer)]).toEqual([1, false, `v=${verifier}`]);
    expect(await send({ saslContinue: 1, conversationId, payload: binary('') })).toMatchObject({ ok: 1, done: true });
    expect(await send({ listDatabases: 1 })).toMatchObject({ ok: 1 });
  });

  it('takes the first message along with the greeting', async () => {
    const { send } = open();
    const speculativeAuthenticate = {
      saslStart: 1,
      mechanism: 'SCRAM-SHA-256',
      payload: binary(`n,,${FIRST}`),
      options: { skipEmptyExchange: true },
      db: 'letsapp',
    };
    const { speculativeAuthenticate: challenge } = await send({ hello: 1, speculativeAuthenticate });
    const { final } = finalOf(textOf(challenge), PASSWORD);
    const { conversationId } = challenge;
    expect(await send({ saslContinue: 1, conversationId, payload: binary(final) })).toMatchObject({ done: true });
    expect(await send({ listDatabases: 1 })).toMatchObject({ ok: 1 });
  });

  it.each<[string, (final: string) => string]>([
    ['another nonce', (final) => final.replace(',r=', ',r=x')],
    ['channel binding', (final) => final.replace('c=biws', 'c=eSws')],
    ['an empty proof', (final) => final.replace(/p=.*/, 'p=')],
    ['a proof of zeros', (final) => final.replace(/p=.*/, `p=${Buffer.alloc(32).toString('base64')}`)],
    ['no proof', (final) => final.replace(/,p=.*/, '')],
    ['nothing', () => ''],
  ])('refuses %s, and the exchange is over', async (_, change) => {
    const { send } = open();
    const challenge = await send({ saslStart: 1, mechanism: 'SCRAM-SHA-256', payload: binary(`n,,${FIRST}`) });
    const { final } = finalOf(textOf(challenge), PASSWORD);
    const { conversationId } = challenge;
    const attempt = (text: string) => send({ saslContinue: 1, conversationId, payload: binary(text) });
    expect(await attempt(change(final))).toMatchObject({ ok: 0, code: 18 });
    expect(await attempt(final)).toMatchObject({ ok: 0, code: 17 });
    expect(await send({ listDatabases: 1 })).toMatchObject({ ok: 0, code: 13 });
  });

  it('refuses what another connection has begun', async () => {
    const challenge = await open().send({ saslStart: 1, mechanism: 'SCRAM-SHA-256', payload: binary(`n,,${FIRST}`) });
    const { final } = finalOf(textOf(challenge), PASSWORD);
    const other = open();
    await other.send({ saslStart: 1, mechanism: 'SCRAM-SHA-256', payload: binary(`n,,${FIRST}`) });
    const { conversationId } = challenge;
    expect(await other.send({ saslContinue: 1, conversationId, payload: binary(final) })).toMatchObject({ code: 18 });
  });

  it.each(['', 'n,,', 'p=tls-unique,,n=user,r=abc', 'n,a=other,n=user,r=abc', 'n,,m=1,n=user,r=abc', 'n,,n=user,r='])(
    'refuses the first message "%s"',
    async (first) => {
      const { send } = open();
      const start = { saslStart: 1, mechanism: 'SCRAM-SHA-256', payload: binary(first) };
      expect(await send(start)).toMatchObject({ ok: 0, code: 18 });
      const greeting = await send({ hello: 1, speculativeAuthenticate: start });
      expect(greeting.ok).toBe(1);
      expect(greeting).not.toHaveProperty('speculativeAuthenticate');
    },
  );
});

describe('a database without a password', () => {
  it('offers no mechanism, and refuses who brings one', async () => {
    const open = await startDatabase(join(folder, 'open'), { DATABASE_PASSWORD: '' });
    onTestFinished(() => stop(open.child));
    const client = new MongoClient(open.url);
    onTestFinished(() => client.close());
    const greeting = await client.db().command({ hello: 1, saslSupportedMechs: 'letsapp.letsapp' });
    expect(greeting).not.toHaveProperty('saslSupportedMechs');
    const other = new MongoClient(open.url.replace('//', '//letsapp:password@'));
    await expect(other.connect()).rejects.toMatchObject({ code: 334 });
    await other.close();
  });
});
