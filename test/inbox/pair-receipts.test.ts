import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PairMessage } from '../../shared/contract/documents.ts';
import { type Account, connect, type Device, http, register, settle } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const to = (account: Account) => ({ recipient_id: account.id });

async function pair(): Promise<{ a: Device; b: Device }> {
  const [one, other] = [await register(server.url), await register(server.url)];
  return { a: await connect(server.url, one), b: await connect(server.url, other) };
}

async function send(from: Device, account: Account, ...texts: string[]): Promise<void> {
  for (const content of texts) await from.ok('message:send', { ...to(account), content });
}

async function statuses(viewer: Device, other: Account): Promise<string[]> {
  const { messages } = await viewer.ok('message:history', to(other));
  return (messages as PairMessage[]).map((message) => message.status);
}

async function setReceipts(account: Account, read_receipts_enabled: boolean): Promise<void> {
  const answer = await http(server.url, 'PATCH', '/users/me', {
    token: account.access_token,
    body: { settings: { read_receipts_enabled } },
  });
  expect(answer.status).toBe(200);
}

/** The marks of a user as a viewer sees them in the list. */
async function marks(viewer: Device, user: Account) {
  const { conversations } = await viewer.ok('conversation:list');
  return conversations[0]?.receipts.find((receipt) => receipt.user_id === user.id);
}

describe('message:delivered', () => {
  test('marks messages of the other as delivered and tells their sender only', async () => {
    const { a, b } = await pair();
    const b2 = await connect(server.url, b.account);
    await send(a, b.account, 'one', 'two', 'three');
    expect(await b.ok('message:delivered', { ...to(a.account), up_to_seq: 2 })).toEqual({});
    const status = await a.next('message:status');
    expect(status).toMatchObject({ user_id: b.id, delivered_seq: 2, read_seq: 0 });
    expect(await statuses(a, b.account)).toEqual(['delivered', 'delivered', 'sent']);
    await settle(a, b, b2);
    expect([...b.seen('message:status'), ...b2.seen('message:status')]).toEqual([]);
  });

  test('a smaller mark than before, and the same again, change nothing and tell nobody', async () => {
    const { a, b } = await pair();
    await send(a, b.account, 'one', 'two');
    await b.ok('message:delivered', { ...to(a.account), up_to_seq: 2 });
    await a.next('message:status');
    a.clear();
    await b.ok('message:delivered', { ...to(a.account), up_to_seq: 1 });
    await b.ok('message:delivered', { ...to(a.account), up_to_seq: 2 });
    await b.ok('message:delivered', { ...to(a.account), up_to_seq: 0 });
    await settle(a);
    expect(a.seen('message:status')).toEqual([]);
    expect(await marks(a, b.account)).toEqual({ user_id: b.id, delivered_seq: 2, read_seq: 0 });
  });

  test('is refused beyond the last message, where nothing was written, for strangers and for oneself', async () => {
    const { a, b } = await pair();
    const command = { ...to(a.account), up_to_seq: 1 };
    for (const name of ['message:delivered', 'message:read']) {
      expect((await b.refused(name, command)).code).toBe('not_found');
      expect((await b.refused(name, { recipient_id: 'f'.repeat(24), up_to_seq: 0 })).code).toBe('not_found');
      expect((await b.refused(name, { group_id: 'f'.repeat(24), up_to_seq: 0 })).code).toBe('not_found');
      expect((await b.refused(name, { ...to(b.account), up_to_seq: 0 })).code).toBe('validation_failed');
      expect((await b.refused(name, { ...to(a.account), up_to_seq: -1 })).code).toBe('validation_failed');
    }
    await send(a, b.account, 'one');
    for (const name of ['message:delivered', 'message:read']) {
      expect((await b.refused(name, { ...command, up_to_seq: 2 })).code).toBe('validation_failed');
    }
  });

  test('one’s own messages concern nobody', async () => {
    const { a, b } = await pair();
    await send(a, b.account, 'one');
    await a.ok('message:read', { ...to(b.account), up_to_seq: 1 });
    await settle(b);
    expect(b.seen('message:status')).toEqual([]);
    expect(await statuses(b, a.account)).toEqual(['sent']);
  });
});

describe('message:read', () => {
  test('includes delivery, answers the unread count and tells the reader’s other devices', async () => {
    const { a, b } = await pair();
    const b2 = await connect(server.url, b.account);
    await send(a, b.account, 'one', 'two', 'three');
    expect(await b.ok('message:read', { ...to(a.account), up_to_seq: 2 })).toEqual({ unread_count: 1 });
    expect(await a.next('message:status')).toMatchObject({ user_id: b.id, delivered_seq: 2, read_seq: 2 });
    const { conversation } = await b2.next('conversation:updated');
    expect(conversation).toMatchObject({ unread_count: 1, last_seq: 3 });
    expect(conversation.receipts).toContainEqual({ user_id: b.id, delivered_seq: 2, read_seq: 2 });
    expect(await statuses(a, b.account)).toEqual(['read', 'read', 'sent']);
    await settle(a, b, b2);
    expect([...a.seen('conversation:updated'), ...b.seen('conversation:updated')]).toEqual([]);
  });

  test('a status never goes back', async () => {
    const { a, b } = await pair();
    await send(a, b.account, 'one', 'two');
    await b.ok('message:read', { ...to(a.account), up_to_seq: 2 });
    await b.ok('message:delivered', { ...to(a.account), up_to_seq: 2 });
    expect(await b.ok('message:read', { ...to(a.account), up_to_seq: 1 })).toEqual({ unread_count: 0 });
    expect(await statuses(a, b.account)).toEqual(['read', 'read']);
    expect(await marks(a, b.account)).toEqual({ user_id: b.id, delivered_seq: 2, read_seq: 2 });
  });

  test('sending is not reading', async () => {
    const { a, b } = await pair();
    await send(a, b.account, 'one');
    await send(b, a.account, 'answer');
    const { conversations } = await b.ok('conversation:list');
    expect(conversations[0]?.unread_count).toBe(1);
    expect(await marks(a, b.account)).toEqual({ user_id: b.id, delivered_seq: 0, read_seq: 0 });
  });

  test('unread counts leave out one’s own messages and tombstones', async () => {
    const { a, b } = await pair();
    await send(a, b.account, 'one', 'two', 'three');
    await send(b, a.account, 'four');
    const { messages } = await a.ok('message:history', to(b.account));
    await a.ok('message:delete', { message_id: messages[1]!._id });
    expect((await b.ok('conversation:list')).conversations[0]?.unread_count).toBe(2);
    expect((await a.ok('conversation:list')).conversations[0]?.unread_count).toBe(1);
    expect(await b.ok('message:read', { ...to(a.account), up_to_seq: 1 })).toEqual({ unread_count: 1 });
    await a.ok('message:delete', { message_id: messages[2]!._id });
    expect((await b.ok('conversation:list')).conversations[0]?.unread_count).toBe(0);
  });

  test('marks that arrive at once and out of order end at the highest, and each told mark only grows', async () => {
    const { a, b } = await pair();
    const b2 = await connect(server.url, b.account);
    await send(a, b.account, ...Array.from({ length: 20 }, (_, i) => `m${i}`));
    const order = [5, 20, 3, 12, 20, 1, 17, 8];
    const answers = await Promise.all(
      order.map((up_to_seq, i) =>
        i % 3 === 2
          ? b2.ok('message:delivered', { ...to(a.account), up_to_seq })
          : (i % 2 ? b : b2).ok('message:read', { ...to(a.account), up_to_seq }),
      ),
    );
    for (const answer of answers) {
      if ('unread_count' in answer) expect(answer.unread_count).toBeGreaterThanOrEqual(0);
    }
    await settle(a);
    const told = a.seen('message:status');
    for (const key of ['delivered_seq', 'read_seq'] as const) {
      const values = told.map((status) => status[key]);
      expect(values).toEqual([...values].sort((one, other) => one - other));
      expect(values.at(-1)).toBe(20);
    }
    expect(await statuses(a, b.account)).toEqual(Array(20).fill('read'));
    expect(await marks(a, b.account)).toEqual({ user_id: b.id, delivered_seq: 20, read_seq: 20 });
  });

  test('the history of a deactivated user can still be read', async () => {
    const { a, b } = await pair();
    await send(a, b.account, 'one');
    const gone = await http(server.url, 'DELETE', '/users/me', {
      token: a.account.access_token,
      body: { password: a.account.password },
    });
    expect(gone.status).toBe(204);
    expect(await b.ok('message:read', { ...to(a.account), up_to_seq: 1 })).toEqual({ unread_count: 0 });
  });
});

describe('with read receipts switched off', () => {
  test.each(['reader', 'sender'] as const)('by the %s, the sender learns of the delivery only', async (who) => {
    const { a, b } = await pair();
    const b2 = await connect(server.url, b.account);
    await setReceipts((who === 'reader' ? b : a).account, false);
    await send(a, b.account, 'one', 'two');
    expect(await b.ok('message:read', { ...to(a.account), up_to_seq: 2 })).toEqual({ unread_count: 0 });
    expect(await a.next('message:status')).toMatchObject({ delivered_seq: 2, read_seq: 0 });
    expect(await statuses(a, b.account)).toEqual(['delivered', 'delivered']);
    expect(await marks(a, b.account)).toEqual({ user_id: b.id, delivered_seq: 2, read_seq: 0 });
    // The reader's own devices see the truth.
    expect(await marks(b, b.account)).toEqual({ user_id: b.id, delivered_seq: 2, read_seq: 2 });
    expect((await b2.next('conversation:updated')).conversation.unread_count).toBe(0);
  });

  test('a reading after the delivery tells the sender nothing at all', async () => {
    const { a, b } = await pair();
    await setReceipts(b.account, false);
    await send(a, b.account, 'one');
    await b.ok('message:delivered', { ...to(a.account), up_to_seq: 1 });
    await a.next('message:status');
    const { server_time } = await a.ok('sync', {});
    a.clear();
    await b.ok('message:read', { ...to(a.account), up_to_seq: 1 });
    await settle(a);
    expect(a.events).toEqual([]);
    // Not even that something changed.
    expect((await a.ok('sync', { since: server_time })).conversations).toEqual([]);
    expect((await b.ok('sync', { since: server_time })).conversations).toHaveLength(1);
  });

  test('a later change of the setting neither reveals nor takes back', async () => {
    const { a, b } = await pair();
    await setReceipts(b.account, false);
    await send(a, b.account, 'one');
    await b.ok('message:read', { ...to(a.account), up_to_seq: 1 });
    await setReceipts(b.account, true);
    await b.ok('message:read', { ...to(a.account), up_to_seq: 1 });
    expect(await statuses(a, b.account)).toEqual(['delivered']);
    expect(await marks(a, b.account)).toMatchObject({ read_seq: 0 });
    await send(a, b.account, 'two');
    await b.ok('message:read', { ...to(a.account), up_to_seq: 2 });
    expect(await statuses(a, b.account)).toEqual(['delivered', 'read']);
    await setReceipts(b.account, false);
    expect(await statuses(a, b.account)).toEqual(['delivered', 'read']);
    expect(await marks(a, b.account)).toMatchObject({ read_seq: 2 });
  });

  test('a hidden reading leaves the mark where it was even when only one’s own messages were read', async () => {
    const { a, b } = await pair();
    await send(b, a.account, 'mine');
    await setReceipts(b.account, false);
    await b.ok('message:read', { ...to(a.account), up_to_seq: 1 });
    expect(await marks(a, b.account)).toMatchObject({ read_seq: 0 });
  });
});

describe('under a block', () => {
  test.each(['reader', 'sender'] as const)('by the %s, the own unread count clears and nothing passes', async (who) => {
    const { a, b } = await pair();
    await send(a, b.account, 'one');
    if (who === 'reader') await b.ok('contact:block', { user_id: a.id });
    else await a.ok('contact:block', { user_id: b.id });
    const { server_time } = await a.ok('sync', {});
    a.clear();
    await b.ok('message:delivered', { ...to(a.account), up_to_seq: 1 });
    expect(await b.ok('message:read', { ...to(a.account), up_to_seq: 1 })).toEqual({ unread_count: 0 });
    await settle(a);
    expect(a.events).toEqual([]);
    expect(await statuses(a, b.account)).toEqual(['sent']);
    expect(await marks(a, b.account)).toEqual({ user_id: b.id, delivered_seq: 0, read_seq: 0 });
    expect(await marks(b, b.account)).toEqual({ user_id: b.id, delivered_seq: 1, read_seq: 1 });
    expect((await a.ok('sync', { since: server_time })).conversations).toEqual([]);
  });

  test('what was read under it stays unread for the sender when it is lifted', async () => {
    const { a, b } = await pair();
    await send(a, b.account, 'one');
    await b.ok('contact:block', { user_id: a.id });
    await b.ok('message:read', { ...to(a.account), up_to_seq: 1 });
    await b.ok('contact:unblock', { user_id: a.id });
    await send(a, b.account, 'two');
    await b.ok('message:read', { ...to(a.account), up_to_seq: 2 });
    expect(await statuses(a, b.account)).toEqual(['delivered', 'read']);
  });
});
