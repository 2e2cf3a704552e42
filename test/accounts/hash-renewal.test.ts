/** Hashes of an earlier cost, or of a password that was not composed, are renewed when their owners sign in. */
import { hashSync } from 'bcryptjs';
import { MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { UserDocument } from '../../server/model/documents/accounts.ts';
import { type Account, connect, http, register } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type Sink, startSink } from './smtp-sink.ts';

let database: TestDatabase;
let server: TestServer;
let client: MongoClient;
let sink: Sink;
beforeAll(async () => {
  database = await startDatabase();
  sink = await startSink();
  server = await startServer({ env: { MONGODB_URL: database.url, BCRYPT_COST: '6', SMTP_URL: sink.url } });
  client = await MongoClient.connect(database.url);
});
afterAll(async () => {
  await client.close();
  await server.stop();
  await database.stop();
  await sink.close();
});

const users = () => client.db().collection<UserDocument>('users');
const idOf = (account: Account) => new ObjectId(account.id);
const signIn = async (login: string, password: string) =>
  (await http(server.url, 'POST', '/auth/login', { body: { login, password } })).status;
const hashOf = async (account: Account) => (await users().findOne({ _id: idOf(account) }))!.password;
const setHash = (account: Account, password: string) =>
  users().updateOne({ _id: idOf(account) }, { $set: { password } });

it('a sign-in raises the cost of the hash in the background, and changes nothing else', async () => {
  const account = await register(server.url);
  const device = await connect(server.url, account);
  const before = (await users().findOne({ _id: idOf(account) }))!;
  const old = hashSync(account.password, 4);
  await setHash(account, old);
  expect(await signIn(account.username, 'wrong-password')).toBe(401);
  expect(await hashOf(account)).toBe(old);
  expect(await signIn(account.username, account.password)).toBe(200);
  await expect.poll(() => hashOf(account)).toMatch(/^\$2b\$06\$/);
  const { password, ...after } = (await users().findOne({ _id: idOf(account) }))!;
  expect(after).toEqual({ ...before, password: undefined });
  const renewed = password;
  expect(await signIn(account.username, account.password)).toBe(200);
  expect(await hashOf(account)).toBe(renewed);
  expect(device.socket.connected).toBe(true);
  device.close();
});

it('devices that sign in at once all get in, and a change of the password right after holds', async () => {
  for (let round = 0; round < 5; round++) {
    const account = await register(server.url);
    await setHash(account, hashSync(account.password, 4));
    const statuses = await Promise.all(Array.from({ length: 8 }, () => signIn(account.username, account.password)));
    expect(new Set(statuses)).toEqual(new Set([200]));
    const body = { current_password: account.password, new_password: `next-password-${round}` };
    const changed = await http(server.url, 'POST', '/auth/password/change', { token: account.access_token, body });
    expect(changed.status).toBe(204);
    // A renewal that is late must not bring the old password back.
    await expect.poll(() => hashOf(account)).toMatch(/^\$2b\$06\$/);
    expect(await signIn(account.username, account.password)).toBe(401);
    expect(await signIn(account.username, body.new_password)).toBe(200);
  }
});

it('a link to reset the password outlives the renewal of the hash', async () => {
  const account = await register(server.url);
  await setHash(account, hashSync(account.password, 4));
  await http(server.url, 'POST', '/auth/password/forgot', { body: { email: account.email } });
  const token = await sink.tokenFor(account.email);
  expect(await signIn(account.username, account.password)).toBe(200);
  await expect.poll(() => hashOf(account)).toMatch(/^\$2b\$06\$/);
  const reset = await http(server.url, 'POST', '/auth/password/reset', {
    body: { token, new_password: 'after-the-renewal' },
  });
  expect(reset.status).toBe(204);
  expect(await signIn(account.username, 'after-the-renewal')).toBe(200);
});

it('a password that was set decomposed by an earlier version works composed once its owner has signed in', async () => {
  const account = await register(server.url);
  const [composed, decomposed] = ['Crème-brûlée-9'.normalize('NFC'), 'Crème-brûlée-9'.normalize('NFD')];
  const asGiven = hashSync(decomposed, 6);
  await setHash(account, asGiven);
  expect(await signIn(account.username, decomposed)).toBe(200);
  await expect.poll(() => hashOf(account)).not.toBe(asGiven);
  expect(await signIn(account.username, composed)).toBe(200);
  expect(await signIn(account.username, decomposed)).toBe(200);
});

it('a password set on one platform is right on another, for everything that asks for it', async () => {
  const [composed, decomposed] = ['Åse-Ødegård-9'.normalize('NFC'), 'Åse-Ødegård-9'.normalize('NFD')];
  for (const [set, given] of [
    [composed, decomposed],
    [decomposed, composed],
  ] as const) {
    const account = await register(server.url, { password: set });
    expect(await signIn(account.username, given)).toBe(200);
    const change = (current_password: string, new_password: string) =>
      http(server.url, 'POST', '/auth/password/change', {
        token: account.access_token,
        body: { current_password, new_password },
      });
    expect((await change(given, set)).status).toBe(409);
    expect((await change(given, given)).status).toBe(409);
    expect((await change(given, 'another-password')).status).toBe(204);
    expect((await change('another-password', given)).status).toBe(409);
    const body = { password: 'another-password' };
    expect((await http(server.url, 'DELETE', '/users/me', { token: account.access_token, body })).status).toBe(204);
  }
});
