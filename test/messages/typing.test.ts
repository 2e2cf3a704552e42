import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Account, connect, type Device, http, register, registerMany, settle } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const to = (account: Account) => ({ recipient_id: account.id });

async function pair(): Promise<{ a: Device; b: Device }> {
  const [one, other] = (await registerMany(server.url, 2)) as [Account, Account];
  return { a: await connect(server.url, one), b: await connect(server.url, other) };
}

async function switchOff(account: Account): Promise<void> {
  await http(server.url, 'PATCH', '/users/me', {
    token: account.access_token,
    body: { settings: { typing_indicators_enabled: false } },
  });
}

describe.concurrent('typing', () => {
  test('is told to the other’s devices, not to one’s own, and stops when told', async () => {
    const { a, b } = await pair();
    const [a2, b2] = [await connect(server.url, a.account), await connect(server.url, b.account)];
    await a.ok('typing:start', to(b.account));
    for (const device of [b, b2]) {
      expect(await device.next('typing')).toMatchObject({ user_id: a.id, is_typing: true });
    }
    await a.ok('typing:stop', to(b.account));
    await b.next('typing', (typing) => !typing.is_typing);
    await settle(a, a2);
    expect([...a.seen('typing'), ...a2.seen('typing')]).toEqual([]);
  });

  test('a repeated start is not told again at once; a stop without a start is told to nobody', async () => {
    const { a, b } = await pair();
    await a.ok('typing:stop', to(b.account));
    for (let i = 0; i < 5; i++) await a.ok('typing:start', to(b.account));
    await settle(b);
    expect(b.seen('typing').map((typing) => typing.is_typing)).toEqual([true]);
  });

  test('stops by itself after 6 s, and a repeated start prolongs it', async () => {
    const { a, b } = await pair();
    await a.ok('typing:start', to(b.account));
    const started = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await a.ok('typing:start', to(b.account));
    await b.next('typing', (typing) => !typing.is_typing, 15_000);
    expect(Date.now() - started).toBeGreaterThan(8000);
    expect(b.seen('typing').map((typing) => typing.is_typing)).toEqual([true, false]);
  });

  test('stops when the message is sent, and when the device is gone', async () => {
    const { a, b } = await pair();
    await a.ok('typing:start', to(b.account));
    await a.ok('message:send', { ...to(b.account), content: 'done' });
    await b.next('typing', (typing) => !typing.is_typing);
    b.clear();
    await a.ok('typing:start', to(b.account));
    await b.next('typing', (typing) => typing.is_typing);
    a.close();
    await b.next('typing', (typing) => !typing.is_typing, 3000);
  });

  test.each(['typist', 'reader'] as const)('nothing passes where the %s has it switched off', async (who) => {
    const { a, b } = await pair();
    await switchOff((who === 'typist' ? a : b).account);
    await a.ok('typing:start', to(b.account));
    await a.ok('typing:stop', to(b.account));
    await settle(a, b);
    expect(b.seen('typing')).toEqual([]);
  });

  test('in a group all see it but the typist and those who have it switched off', async () => {
    const accounts = await registerMany(server.url, 4);
    const [a, b, c, d] = (await Promise.all(accounts.map((account) => connect(server.url, account)))) as [
      Device,
      Device,
      Device,
      Device,
    ];
    const { group } = await a.ok('group:create', { name: 'G', member_ids: [b.id, c.id] });
    const target = { group_id: group._id };
    await switchOff(c.account);
    await a.ok('typing:start', target);
    expect(await b.next('typing')).toEqual({ conversation_id: group._id, user_id: a.id, is_typing: true });
    await c.ok('typing:start', target);
    expect((await d.refused('typing:start', target)).code).toBe('not_found');
    await a.ok('group:remove_member', { ...target, user_id: b.id });
    expect((await b.refused('typing:start', target)).code).toBe('not_found');
    await a.ok('typing:stop', target);
    await settle(a, b, c, d);
    expect([...a.seen('typing'), ...c.seen('typing'), ...d.seen('typing')]).toEqual([]);
    expect(b.seen('typing')).toHaveLength(1);
  });

  test('is forbidden under a block from either side, and an end that comes after it does not pass', async () => {
    const { a, b } = await pair();
    await a.ok('typing:start', to(b.account));
    await b.next('typing');
    await b.ok('contact:block', { user_id: a.id });
    b.clear();
    for (const [device, other] of [
      [a, b],
      [b, a],
    ] as const) {
      expect((await device.refused('typing:start', to(other.account))).code).toBe('forbidden');
    }
    a.close();
    await settle(b);
    await settle(b);
    expect(b.seen('typing')).toEqual([]);
  });

  test('to an unknown or deactivated user: not_found; to oneself: validation_failed', async () => {
    const { a, b } = await pair();
    const gone = await register(server.url);
    await http(server.url, 'DELETE', '/users/me', { token: gone.access_token, body: { password: gone.password } });
    for (const name of ['typing:start', 'typing:stop']) {
      expect((await a.refused(name, to(gone))).code).toBe('not_found');
      expect((await a.refused(name, { recipient_id: 'f'.repeat(24) })).code).toBe('not_found');
      expect((await a.refused(name, to(a.account))).code).toBe('validation_failed');
      expect((await a.refused(name, { ...to(b.account), text: 'x' })).code).toBe('validation_failed');
    }
  });
});
