import { beforeAll, describe, expect, test } from 'vitest';
import { type Account, connect, type Device, http, register, registerMany, settle } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});

const to = (account: Account) => ({ recipient_id: account.id });
const isStart = ({ is_typing }: { is_typing: boolean }) => is_typing;
const isEnd = ({ is_typing }: { is_typing: boolean }) => !is_typing;

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

/** The end comes, and not by itself. */
async function expectEarlyEnd(device: Device): Promise<void> {
  await device.next('typing', isEnd, 30_000);
  const [start, end] = device.events.filter(({ name }) => name === 'typing');
  expect(end!.at - start!.at).toBeLessThan(5500);
}

describe.concurrent('typing', () => {
  test('is shown to the other user’s devices, not to one’s own, until it stops', async () => {
    const { a, b } = await pair();
    const [a2, b2] = [await connect(server.url, a.account), await connect(server.url, b.account)];
    await a.ok('typing:start', to(b.account));
    for (const device of [b, b2]) {
      expect(await device.next('typing')).toMatchObject({ user_id: a.id, is_typing: true });
    }
    await a.ok('typing:stop', to(b.account));
    await b.next('typing', isEnd);
    await settle(a, a2);
    expect([...a.seen('typing'), ...a2.seen('typing')]).toEqual([]);
  });

  test('is told once when started repeatedly; a stop without a start is not told', async () => {
    const { a, b } = await pair();
    await a.ok('typing:stop', to(b.account));
    await Promise.all(Array.from({ length: 5 }, () => a.ok('typing:start', to(b.account))));
    await settle(b);
    expect(b.seen('typing').map((typing) => typing.is_typing)).toEqual([true]);
  });

  test('ends by itself after 6 s', async () => {
    const { a, b } = await pair();
    const started = performance.now();
    await a.ok('typing:start', to(b.account));
    await b.next('typing', isEnd, 30_000);
    expect(performance.now() - started).toBeGreaterThan(5900);
    expect(b.seen('typing').map((typing) => typing.is_typing)).toEqual([true, false]);
  });

  test('ends when the message is sent, and when the device is gone', async () => {
    const { a, b } = await pair();
    await a.ok('typing:start', to(b.account));
    await a.ok('message:send', { ...to(b.account), content: 'done' });
    await expectEarlyEnd(b);
    b.clear();
    await a.ok('typing:start', to(b.account));
    await b.next('typing', isStart);
    a.close();
    await expectEarlyEnd(b);
  });

  test.each(['typist', 'reader'] as const)('is not shown where the %s has it switched off', async (who) => {
    const { a, b } = await pair();
    await switchOff((who === 'typist' ? a : b).account);
    await a.ok('typing:start', to(b.account));
    await a.ok('typing:stop', to(b.account));
    await settle(a, b);
    expect(b.seen('typing')).toEqual([]);
  });

  test('is shown to all of a group but the typist and those who have it switched off', async () => {
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

  test('in a group ends, for the others, when the typist leaves or is removed', async () => {
    const [a, b, c] = await Promise.all(
      (await registerMany(server.url, 3)).map((account) => connect(server.url, account)),
    );
    const { group } = await a!.ok('group:create', { name: 'G', member_ids: [b!.id, c!.id] });
    const target = { group_id: group._id };
    for (const [typist, end] of [
      [b!, () => b!.ok('group:leave', target)],
      [c!, () => a!.ok('group:remove_member', { ...target, user_id: c!.id })],
    ] as const) {
      a!.clear();
      await typist.ok('typing:start', target);
      await a!.next('typing', isStart);
      await end();
      await expectEarlyEnd(a!);
    }
  });

  test('is forbidden under a block from either side, and its end does not pass any more', async () => {
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

  test('does not find an unknown or deactivated user, and is not valid to oneself', async () => {
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
