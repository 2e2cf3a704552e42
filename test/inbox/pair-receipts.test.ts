import { beforeAll, describe, expect, test } from 'vitest';
import { connect, http, settle } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';
import { connectPair, marksSeenBy, send, statusesSeenBy, to } from './receipt-scenes.ts';

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});

describe('message:delivered', () => {
  test('marks the messages of the other user as delivered and tells only their sender', async () => {
    const { a, b } = await connectPair(server.url);
    const b2 = await connect(server.url, b.account);
    await send(a, b.account, 'one', 'two', 'three');
    expect(await b.ok('message:delivered', { ...to(a.account), up_to_seq: 2 })).toEqual({});
    const status = await a.next('message:status');
    expect(status).toMatchObject({ user_id: b.id, delivered_seq: 2, read_seq: 0 });
    expect(await statusesSeenBy(a, b.account)).toEqual(['delivered', 'delivered', 'sent']);
    await settle(a, b, b2);
    expect([...b.seen('message:status'), ...b2.seen('message:status')]).toEqual([]);
  });

  test('a mark that is not higher than before changes nothing and tells nobody', async () => {
    const { a, b } = await connectPair(server.url);
    await send(a, b.account, 'one', 'two');
    await b.ok('message:delivered', { ...to(a.account), up_to_seq: 2 });
    await a.next('message:status');
    a.clear();
    for (const up_to_seq of [1, 2, 0]) await b.ok('message:delivered', { ...to(a.account), up_to_seq });
    await settle(a);
    expect(a.seen('message:status')).toEqual([]);
    expect(await marksSeenBy(a, b.id)).toEqual({ user_id: b.id, delivered_seq: 2, read_seq: 0 });
  });

  test('tells nobody of one’s own messages', async () => {
    const { a, b } = await connectPair(server.url);
    await send(a, b.account, 'one');
    await a.ok('message:read', { ...to(b.account), up_to_seq: 1 });
    await settle(b);
    expect(b.seen('message:status')).toEqual([]);
    expect(await statusesSeenBy(b, a.account)).toEqual(['sent']);
  });
});

test.each(['message:delivered', 'message:read'])(
  '%s is refused beyond the last message, in an empty pair, for strangers and for oneself',
  async (name) => {
    const { a, b } = await connectPair(server.url);
    const command = { ...to(a.account), up_to_seq: 1 };
    expect((await b.refused(name, command)).code).toBe('not_found');
    expect((await b.refused(name, { recipient_id: 'f'.repeat(24), up_to_seq: 0 })).code).toBe('not_found');
    expect((await b.refused(name, { group_id: 'f'.repeat(24), up_to_seq: 0 })).code).toBe('not_found');
    expect((await b.refused(name, { ...to(b.account), up_to_seq: 0 })).code).toBe('validation_failed');
    expect((await b.refused(name, { ...to(a.account), up_to_seq: -1 })).code).toBe('validation_failed');
    await send(a, b.account, 'one');
    expect((await b.refused(name, { ...command, up_to_seq: 2 })).code).toBe('validation_failed');
  },
);

describe('message:read', () => {
  test('includes delivery, answers the unread count and tells the reader’s other devices', async () => {
    const { a, b } = await connectPair(server.url);
    const b2 = await connect(server.url, b.account);
    await send(a, b.account, 'one', 'two', 'three');
    expect(await b.ok('message:read', { ...to(a.account), up_to_seq: 2 })).toEqual({ unread_count: 1 });
    expect(await a.next('message:status')).toMatchObject({ user_id: b.id, delivered_seq: 2, read_seq: 2 });
    const { conversation } = await b2.next('conversation:updated');
    expect(conversation).toMatchObject({ unread_count: 1, last_seq: 3 });
    expect(conversation.receipts).toContainEqual({ user_id: b.id, delivered_seq: 2, read_seq: 2 });
    expect(await statusesSeenBy(a, b.account)).toEqual(['read', 'read', 'sent']);
    await settle(a, b, b2);
    expect([...a.seen('conversation:updated'), ...b.seen('conversation:updated')]).toEqual([]);
  });

  test('never takes a status back', async () => {
    const { a, b } = await connectPair(server.url);
    await send(a, b.account, 'one', 'two');
    await b.ok('message:read', { ...to(a.account), up_to_seq: 2 });
    await b.ok('message:delivered', { ...to(a.account), up_to_seq: 2 });
    expect(await b.ok('message:read', { ...to(a.account), up_to_seq: 1 })).toEqual({ unread_count: 0 });
    expect(await statusesSeenBy(a, b.account)).toEqual(['read', 'read']);
    expect(await marksSeenBy(a, b.id)).toEqual({ user_id: b.id, delivered_seq: 2, read_seq: 2 });
  });

  test('still works in a conversation with a deactivated user', async () => {
    const { a, b } = await connectPair(server.url);
    await send(a, b.account, 'one');
    const gone = await http(server.url, 'DELETE', '/users/me', {
      token: a.account.access_token,
      body: { password: a.account.password },
    });
    expect(gone.status).toBe(204);
    expect(await b.ok('message:read', { ...to(a.account), up_to_seq: 1 })).toEqual({ unread_count: 0 });
  });
});

describe('unread counts', () => {
  test('sending is not reading', async () => {
    const { a, b } = await connectPair(server.url);
    await send(a, b.account, 'one');
    await send(b, a.account, 'answer');
    const { conversations } = await b.ok('conversation:list');
    expect(conversations[0]?.unread_count).toBe(1);
    expect(await marksSeenBy(a, b.id)).toEqual({ user_id: b.id, delivered_seq: 0, read_seq: 0 });
  });

  test('leave out one’s own messages and tombstones', async () => {
    const { a, b } = await connectPair(server.url);
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
});

test('concurrent marks in any order end at the highest, and the sender sees them only grow', async () => {
  const { a, b } = await connectPair(server.url);
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
  expect(await statusesSeenBy(a, b.account)).toEqual(Array(20).fill('read'));
  expect(await marksSeenBy(a, b.id)).toEqual({ user_id: b.id, delivered_seq: 20, read_seq: 20 });
});
