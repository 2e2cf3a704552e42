import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, CLOCKS_MS, connect, type Device, http, register, settle } from '../support/client.ts';
import { sharedServer, startServer, type TestServer } from '../support/server.ts';
import { startProcessForTest, startServerProcess } from '../support/server-process.ts';

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});

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
  it('tells two users of each other when they become contacts', async () => {
    const { a, b, A, B } = await contacts();
    await a.next('presence:changed', of(B.id, 'online'));
    await b.next('presence:changed', of(A.id, 'online'));
  });

  it("shows only the account's date, and no details, to users who are not contacts", async () => {
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

  it('counts the most available device, and busy set by hand above all others', async () => {
    const { a, b, A } = await contacts();
    const a2 = await connect(server.url, A);
    expect((await a.ok('presence:set', { status: 'away' })).presence.status).toBe('online');
    expect((await a2.ok('presence:set', { status: 'away' })).presence.status).toBe('away');
    await b.next('presence:changed', of(A.id, 'away'));
    expect((await a.ok('presence:set', { status: 'busy' })).presence.status).toBe('busy');
    await b.next('presence:changed', of(A.id, 'busy'));
    expect(await statusOf(b, A.id)).toBe('busy');
  });

  it('appears offline on demand, while the connection stays', async () => {
    const { a, b, A } = await contacts();
    await a.ok('presence:set', { status: 'offline' });
    await b.next('presence:changed', of(A.id, 'offline'));
    expect(await statusOf(b, A.id)).toBe('offline');
    await a.ok('presence:set', { status: 'online', custom_status: 'here', device_info: { platform: 'web' } });
    const { presence } = await b.next('presence:changed', (event) => event.presence.custom_status === 'here');
    expect(presence.device_info).toEqual({ platform: 'web' });
  });

  it('shows users who appear offline as last seen when that began', async () => {
    const { a, b, A } = await contacts();
    const lastSeen = async () => (await b.ok('user:get', { user_id: A.id })).user.last_seen ?? '';
    const before = new Date(Date.now() - CLOCKS_MS).toISOString();
    await a.ok('presence:set', { status: 'offline' });
    const { presence } = await b.next('presence:changed', of(A.id, 'offline'));
    const since = await lastSeen();
    expect(since >= before).toBe(true);
    b.clear();
    const { presence: own } = await a.ok('presence:set', { status: 'offline', custom_status: 'gone fishing' });
    expect(own).toEqual({ ...presence, custom_status: 'gone fishing' });
    expect((await b.next('presence:changed')).presence).toEqual(own);
    expect(await lastSeen()).toBe(since);
  });

  it('shows offline, and since when, once the last device has been gone for the grace period', async () => {
    const { a, b, A } = await contacts();
    const before = Date.now();
    a.close();
    const { presence } = await b.next('presence:changed', of(A.id, 'offline'));
    expect(Date.parse(presence.last_active)).toBeGreaterThanOrEqual(before - CLOCKS_MS);
    const self = await http(server.url, 'GET', '/users/me', { token: A.access_token });
    expect(Date.parse(self.json.user.last_seen)).toBeGreaterThanOrEqual(before - CLOCKS_MS);
  });

  it('takes users offline who do not come back after a restart', async () => {
    const first = await startServerProcess();
    const { A, B } = await contacts(first.url);
    await first.kill();
    const second = await startProcessForTest({ dataDir: first.dataDir });
    const b = await connect(second.url, B);
    await expect.poll(() => statusOf(b, A.id)).toBe('offline');
    await expect.poll(() => statusOf(b, B.id)).toBe('online');
  });

  it('shows what a device says it is, when its connection is news', async () => {
    const { a, b, A } = await contacts();
    a.close();
    await b.next('presence:changed', of(A.id, 'offline'));
    b.clear();
    await connect(server.url, A, { auth: { device_info: { platform: 'web' } } });
    const { presence } = await b.next('presence:changed', of(A.id, 'online'));
    expect(presence.device_info).toEqual({ platform: 'web' });
  });

  it('writes one document for a storm of connections of one user', async () => {
    const { b, A } = await contacts();
    b.clear();
    await Promise.all(Array.from({ length: 20 }, () => connect(server.url, A)));
    await settle(b);
    expect(b.seen('presence:changed', (event) => event.presence.user_id === A.id)).toEqual([]);
  });

  it('refuses unknown statuses, texts that are too long, and too many users', async () => {
    const a = await connect(server.url, await register(server.url));
    expect((await a.refused('presence:set', { status: 'gone' })).code).toBe('validation_failed');
    expect((await a.refused('presence:set', { status: 'away', custom_status: 'x'.repeat(141) })).code).toBe(
      'validation_failed',
    );
    const many = Array.from({ length: 201 }, () => a.id);
    expect((await a.refused('presence:get', { user_ids: many })).code).toBe('validation_failed');
  });
});

/** Longer than any reconnection takes. What happens when the grace period is over is in grace.test.ts, in fake time. */
describe('a reconnection within the grace period', () => {
  let patient: TestServer;
  beforeAll(async () => {
    patient = await startServer({ env: { PRESENCE_GRACE_MS: '60000' } });
  });
  afterAll(() => patient.stop());

  it('is not shown, and keeps the status that was set', async () => {
    const { a, b, A } = await contacts(patient.url);
    await a.ok('presence:set', { status: 'away' });
    await b.next('presence:changed', of(A.id, 'away'));
    b.clear();
    a.close();
    await settle(b);
    const again = await connect(patient.url, A);
    expect(await statusOf(b, A.id)).toBe('away');
    await again.ok('presence:set', { status: 'busy' });
    await b.next('presence:changed', of(A.id, 'busy'));
    expect(b.seen('presence:changed')).toHaveLength(1);
  });

  it('is not shown either if the device says what it is, as it does with each connection', async () => {
    const { a, b, A } = await contacts(patient.url);
    a.close();
    const auth = { device_info: { platform: 'web' } };
    const phone = await connect(patient.url, A, { auth });
    await phone.ok('presence:set', { status: 'busy' });
    await b.next('presence:changed', of(A.id, 'busy'));
    b.clear();
    phone.close();
    await settle(b);
    const again = await connect(patient.url, A, { auth });
    expect(await statusOf(b, A.id)).toBe('busy');
    await again.ok('presence:set', { status: 'away', custom_status: 'back' });
    await b.next('presence:changed', ({ presence }) => presence.custom_status === 'back');
    expect(b.seen('presence:changed')).toHaveLength(1);
  });
});
