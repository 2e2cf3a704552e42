/** Letting users in and out: sessions without a password, deactivation, reactivation (PROTOCOL section 12). */
import { type Db, MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sink, startSink } from '../accounts/smtp-sink.ts';
import { type Account, connect, http, register, uniqueName } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { startServer, type TestServer } from '../support/server.ts';

const JWT_SECRET = 'the same secret for both of the servers';
const API_KEY = 'the-key-of-the-setting-0123456789';

let database: TestDatabase;
let sink: Sink;
let client: MongoClient;
let db: Db;
let nodes: [TestServer, TestServer];
beforeAll(async () => {
  database = await startDatabase();
  sink = await startSink();
  client = await new MongoClient(database.url).connect();
  db = client.db();
  const env = { MONGODB_URL: database.url, JWT_SECRET, API_KEY, SMTP_URL: sink.url };
  nodes = [await startServer({ env }), await startServer({ env })];
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  await client.close();
  await sink.close();
  await database.stop();
});

const call = (method: string, route: string, body?: unknown, node = nodes[0]) =>
  http(node.url, method, `/server/users/${route}`, { token: API_KEY, body });

/** A new user of the operator's, signed in by a session of the server API. */
async function newUser(profile: object = {}): Promise<Account & { external_id: string }> {
  const external_id = uniqueName('crm-');
  await call('PUT', external_id, profile);
  const { status, json } = await call('POST', `${external_id}/sessions`, { device_info: { platform: 'shop' } });
  if (status !== 201) throw new Error(`no session: ${status} ${JSON.stringify(json)}`);
  const { username, email, _id: id } = json.user;
  return { ...json, external_id, id, username, email, password: '' };
}

const me = ({ access_token: token }: Account, node = nodes[0]) => http(node.url, 'GET', '/users/me', { token });

describe('a session of the server API', () => {
  it('is one as after a sign-in: it is listed, refreshed and ended by its user', async () => {
    const user = await newUser();
    const listed = await http(nodes[1].url, 'GET', '/auth/sessions', { token: user.access_token });
    expect(listed.json.sessions).toMatchObject([
      { session_id: user.session_id, device_info: { platform: 'shop' }, current: true },
    ]);
    const body = { refresh_token: user.refresh_token };
    expect((await http(nodes[1].url, 'POST', '/auth/refresh', { body })).status).toBe(200);
    const device = await connect(nodes[1].url, user);
    device.close();
    expect((await http(nodes[0].url, 'POST', '/auth/logout', { token: user.access_token })).status).toBe(204);
    expect((await me(user, nodes[1])).status).toBe(401);
  });

  it('is not found for a user who is not there, and refused with a body that breaks the contract', async () => {
    expect((await call('POST', `${uniqueName('nobody')}/sessions`, {})).status).toBe(404);
    expect((await call('POST', `by-id/${'0'.repeat(24)}/sessions`, {})).status).toBe(404);
    expect((await call('POST', 'by-id/nobody/sessions', {})).status).toBe(400);
    const { external_id } = await newUser();
    expect((await call('POST', `${external_id}/sessions`, { device_info: 'phone' })).status).toBe(400);
  });

  it('ends with all others of the user, on every node', async () => {
    const user = await newUser();
    const other = { ...user, ...(await call('POST', `by-id/${user.id}/sessions`)).json };
    const devices = [await connect(nodes[0].url, user), await connect(nodes[1].url, other)];
    expect((await call('DELETE', `${user.external_id}/sessions`)).status).toBe(204);
    await Promise.all(devices.map((device) => device.next('session:revoked')));
    expect((await me(user)).status).toBe(401);
    expect((await call('DELETE', `by-id/${user.id}/sessions`)).status).toBe(204);
    expect((await call('POST', `${user.external_id}/sessions`, {})).status).toBe(201);
  });
});

describe('a deactivated user', () => {
  it('is out on every node, and shown as such; nothing is erased, and a reactivation brings all back', async () => {
    const [user, ann] = [
      await newUser({ full_name: 'Still Here', metadata: { plan: 'gold' } }),
      await register(nodes[1].url),
    ];
    const [device, anns] = [await connect(nodes[1].url, user), await connect(nodes[0].url, ann)];
    await device.ok('contact:request', { user_id: ann.id });
    await anns.ok('contact:accept', { user_id: user.id });
    await anns.ok('message:send', { recipient_id: user.id, content: 'hello' });

    for (let times = 0; times < 2; times++) {
      expect((await call('POST', `${user.external_id}/deactivate`)).status).toBe(204);
    }
    await device.next('session:revoked');
    await anns.next('user:updated', ({ user: shown }) => shown._id === user.id && !shown.is_active);
    expect((await anns.refused('message:send', { recipient_id: user.id, content: 'x' })).code).toBe('not_found');
    expect((await call('POST', `${user.external_id}/sessions`, {})).json.error.code).toBe('forbidden');
    expect((await call('POST', `by-id/${user.id}/sessions`, {})).status).toBe(403);

    const changed = await call('PUT', user.external_id, { bio: 'on leave' });
    expect([changed.status, changed.json.created]).toEqual([200, false]);
    expect(changed.json.user).toMatchObject({ is_active: false, bio: 'on leave', full_name: 'Still Here' });
    expect(changed.json.user.metadata).toEqual({ plan: 'gold' });

    for (let times = 0; times < 2; times++) {
      expect((await call('POST', `${user.external_id}/reactivate`)).status).toBe(204);
    }
    await anns.next('user:updated', ({ user: shown }) => shown._id === user.id && shown.is_active);
    const again = { ...user, ...(await call('POST', `${user.external_id}/sessions`, {})).json };
    expect((await call('POST', `${user.external_id}/reactivate`)).status).toBe(204);
    const back = await connect(nodes[0].url, again);
    expect((await back.ok('contact:list', {})).contacts).toHaveLength(1);
    await anns.ok('message:send', { recipient_id: user.id, content: 'welcome back' });
    anns.close();
    back.close();
  });

  it('gets back nothing of what was issued before: tokens, links and mails stay dead', async () => {
    const ann = await register(nodes[0].url);
    const token = ann.access_token;
    const form = new FormData();
    form.append('file', new Blob(['a diary']), 'diary.txt');
    const headers = { authorization: `Bearer ${token}` };
    const uploaded = await fetch(`${nodes[0].url}/files`, { method: 'POST', headers, body: form });
    const { file } = (await uploaded.json()) as { file: { _id: string } };
    const link = (await http(nodes[0].url, 'POST', `/files/${file._id}/link`, { token })).json.url;
    expect((await fetch(link)).status).toBe(200);
    await http(nodes[0].url, 'POST', '/auth/password/forgot', { body: { email: ann.email } });
    const reset = await sink.tokenFor(ann.email);

    expect((await call('POST', `by-id/${ann.id}/deactivate`)).status).toBe(204);
    const credentials = { login: ann.username, password: ann.password };
    expect((await http(nodes[0].url, 'POST', '/auth/login', { body: credentials })).status).toBe(401);
    expect((await fetch(link)).status).toBe(404);
    expect((await call('POST', `by-id/${ann.id}/reactivate`)).status).toBe(204);

    expect((await me(ann)).status).toBe(401);
    const refresh = { refresh_token: ann.refresh_token };
    expect((await http(nodes[0].url, 'POST', '/auth/refresh', { body: refresh })).status).toBe(401);
    expect((await fetch(link)).status).toBe(401);
    const body = { token: reset, new_password: 'Correct-horse-10' };
    expect((await http(nodes[0].url, 'POST', '/auth/password/reset', { body })).status).toBe(400);
    const signedIn = await http(nodes[1].url, 'POST', '/auth/login', { body: credentials });
    expect(signedIn.status).toBe(200);
    const fresh = await http(nodes[0].url, 'POST', `/files/${file._id}/link`, { token: signedIn.json.access_token });
    expect((await fetch(fresh.json.url)).status).toBe(200);
  });

  it('gets back nothing of it either where the process died right after the write', async () => {
    const user = await newUser();
    const _id = new ObjectId(user.id);
    await db.collection('users').updateOne({ _id }, { $set: { is_active: false, deactivated_at: new Date() } });
    expect((await call('POST', `${user.external_id}/reactivate`)).status).toBe(204);
    expect((await me(user)).status).toBe(401);
  });

  it('who deleted the account can be let in again, with an address and without what was erased', async () => {
    const user = await newUser({ full_name: 'Gone Soon', metadata: { plan: 'gold' } });
    expect((await http(nodes[0].url, 'DELETE', '/users/me', { token: user.access_token })).status).toBe(204);
    const { json } = await call('PUT', user.external_id, {});
    expect(json).toMatchObject({ created: false, user: { _id: user.id, is_active: false, full_name: null } });
    expect(json.user).not.toHaveProperty('metadata');
    expect(json.user.email).toMatch(/@external\.invalid$/);
    await call('POST', `${user.external_id}/reactivate`);
    expect((await call('POST', `${user.external_id}/sessions`, {})).status).toBe(201);
  });

  it('is not found where there is none', async () => {
    for (const change of ['deactivate', 'reactivate']) {
      expect((await call('POST', `${uniqueName('nobody')}/${change}`)).status).toBe(404);
      expect((await call('POST', `by-id/${'0'.repeat(24)}/${change}`)).status).toBe(404);
      expect((await call('POST', `by-id/x/${change}`)).status).toBe(400);
    }
  });
});
