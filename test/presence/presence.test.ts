import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, connect, type Device, http, register, settle } from '../support/client.ts';
import { startServer, startServerForTest, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

async function contacts(base = server.url): Promise<{ a: Device; b: Device; A: Account; B: Account }> {
  const [A, B] = [await register(base), await register(base)];
  const [a, b] = [await connect(base, A), await connect(base, B)];
  await a.ok('contact:request', { user_id: B.id });
  await b.ok('contact:accept', { user_id: A.id });
  return { a, b, A, B };
}

const of = (id: string, status: string) => (event: { presence: { user_id: string; status: string } }) =>
  event.presence.user_id === id && event.presence.status === status;

async function statusOf(viewer: Device, id: string): Promise<string | undefined> {
  const { presences } = await viewer.ok('presence:get', { user_ids: [id] });
  return presences[0]?.status;
}

describe('presence', () => {
  it('tells both of the other when they become contacts', async () => {
    const { a, b, A, B } = await contacts();
    await a.next('presence:changed', of(B.id, 'online'));
    await b.next('presence:changed', of(A.id, 'online'));
  });

  it('shows a user with their account date and no details to whoever is no contact', async () => {
    const [A, C] = [await register(server.url), await register(server.url)];
    const [a, c] = [await connect(server.url, A), await connect(server.url, C)];
    await a.ok('presence:set', { status: 'busy', custom_status: 'secret' });
    const { presences } = await c.ok('presence:get', { user_ids: [A.id, C.id] });
    expect(presences[0]).toEqual({
      _id: A.id,
      user_id: A.id,
      status: 'offline',
      last_active: A.user.created_at,
    });
    expect(presences.map((presence) => presence.user_id)).toEqual([A.id, C.id]);
    expect(presences[1]?.status).toBe('online');
    await settle(c);
    expect(c.seen('presence:changed', (event) => event.presence.user_id === A.id)).toEqual([]);
  });

  it('counts the most available device, and busy set by hand above all', async () => {
    const { a, b, A } = await contacts();
    const a2 = await connect(server.url, A);
    expect((await a.ok('presence:set', { status: 'away' })).presence.status).toBe('online');
    expect((await a2.ok('presence:set', { status: 'away' })).presence.status).toBe('away');
    await b.next('presence:changed', of(A.id, 'away'));
    expect((await a.ok('presence:set', { status: 'busy' })).presence.status).toBe('busy');
    await b.next('presence:changed', of(A.id, 'busy'));
    expect(await statusOf(b, A.id)).toBe('busy');
  });

  it('appears offline when told so, while the connection stays', async () => {
    const { a, b, A } = await contacts();
    await a.ok('presence:set', { status: 'offline' });
    await b.next('presence:changed', of(A.id, 'offline'));
    expect(await statusOf(b, A.id)).toBe('offline');
    await a.ok('presence:set', { status: 'online', custom_status: 'here', device_info: { platform: 'web' } });
    const { presence } = await b.next('presence:changed', (event) => event.presence.custom_status === 'here');
    expect(presence.device_info).toEqual({ platform: 'web' });
  });

  it('shows whoever appears offline as last seen when that began', async () => {
    const { a, b, A } = await contacts();
    const lastSeen = async () => (await b.ok('user:get', { user_id: A.id })).user.last_seen ?? '';
    const before = new Date().toISOString();
    await a.ok('presence:set', { status: 'offline' });
    const { presence } = await b.next('presence:changed', of(A.id, 'offline'));
    const since = await lastSeen();
    expect(since >= before).toBe(true);
    b.clear();
    const { presence: own } = await a.ok('presence:set', { status: 'offline', custom_status: 'gone fishing' });
    expect(own).toEqual({ ...presence, custom_status: 'gone fishing' });
    expect((await b.next('presence:changed')).presence).toEqual(own);
    b.clear();
    a.close();
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(b.seen('presence:changed')).toEqual([]);
    expect(await lastSeen()).toBe(since);
  });

  it('does not show a reconnection within the grace, and keeps what was chosen', async () => {
    const slow = await startServerForTest({ env: { PRESENCE_GRACE_MS: '1500' } });
    const { a, b, A } = await contacts(slow.url);
    await a.ok('presence:set', { status: 'away' });
    await b.next('presence:changed', of(A.id, 'away'));
    b.clear();
    a.close();
    await connect(slow.url, A);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(b.seen('presence:changed')).toEqual([]);
    expect(await statusOf(b, A.id)).toBe('away');
  });

  it('does not show it either when the device tells what it is, as it does with each connection', async () => {
    const slow = await startServerForTest({ env: { PRESENCE_GRACE_MS: '1500' } });
    const { a, b, A } = await contacts(slow.url);
    a.close();
    const auth = { device_info: { platform: 'web' } };
    await b.next('presence:changed', of(A.id, 'offline'));
    b.clear();
    const again = await connect(slow.url, A, { auth });
    const { presence } = await b.next('presence:changed', of(A.id, 'online'));
    expect(presence.device_info).toEqual({ platform: 'web' });
    await again.ok('presence:set', { status: 'offline' });
    await b.next('presence:changed', of(A.id, 'offline'));
    b.clear();
    again.close();
    await settle(b);
    await connect(slow.url, A, { auth });
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(b.seen('presence:changed')).toEqual([]);
  });

  it('counts the grace from the last disconnection of several, and keeps what was chosen', async () => {
    const slow = await startServerForTest({ env: { PRESENCE_GRACE_MS: '1500' } });
    const { a, b, A } = await contacts(slow.url);
    await a.ok('presence:set', { status: 'busy' });
    await b.next('presence:changed', of(A.id, 'busy'));
    b.clear();
    const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    a.close();
    const back = await connect(slow.url, A);
    await wait(1000);
    back.close();
    // The grace of the first disconnection would be over, that of the second is not.
    await wait(800);
    await connect(slow.url, A);
    await wait(2000);
    expect(b.seen('presence:changed')).toEqual([]);
    expect(await statusOf(b, A.id)).toBe('busy');
  });

  it('gives whoever leaves soon after a start the whole grace', async () => {
    const first = await startServer();
    const { A, B } = await contacts(first.url);
    await first.kill();
    const graceMs = 2500;
    const second = await startServerForTest({ dataDir: first.dataDir, env: { PRESENCE_GRACE_MS: String(graceMs) } });
    const [a, b] = [await connect(second.url, A), await connect(second.url, B)];
    const leftAt = Date.now();
    a.close();
    const { presence } = await b.next('presence:changed', of(A.id, 'offline'));
    expect(Date.parse(presence.last_active) - leftAt).toBeGreaterThanOrEqual(graceMs);
  });

  it('shows offline and the time once the last device is gone for longer than the grace', async () => {
    const { a, b, A } = await contacts();
    const before = Date.now();
    a.close();
    const { presence } = await b.next('presence:changed', of(A.id, 'offline'));
    expect(Date.parse(presence.last_active)).toBeGreaterThanOrEqual(before);
    const self = await http(server.url, 'GET', '/users/me', { token: A.access_token });
    expect(Date.parse(self.json.user.last_seen)).toBeGreaterThanOrEqual(before);
  });

  it('takes offline after a restart whoever does not come back', async () => {
    const first = await startServer();
    const { A, B } = await contacts(first.url);
    await first.kill();
    const second = await startServerForTest({ dataDir: first.dataDir });
    const b = await connect(second.url, B);
    await expect.poll(() => statusOf(b, A.id)).toBe('offline');
    await expect.poll(() => statusOf(b, B.id)).toBe('online');
  });

  it('writes one document for a storm of connections of one user', async () => {
    const { b, A } = await contacts();
    b.clear();
    await Promise.all(Array.from({ length: 20 }, () => connect(server.url, A)));
    await settle(b);
    expect(b.seen('presence:changed', (event) => event.presence.user_id === A.id)).toEqual([]);
  });

  it('refuses what is no status, too long, or too many', async () => {
    const a = await connect(server.url, await register(server.url));
    expect((await a.refused('presence:set', { status: 'gone' })).code).toBe('validation_failed');
    expect((await a.refused('presence:set', { status: 'away', custom_status: 'x'.repeat(141) })).code).toBe(
      'validation_failed',
    );
    const many = Array.from({ length: 201 }, () => a.id);
    expect((await a.refused('presence:get', { user_ids: many })).code).toBe('validation_failed');
  });
});
