/** Who learns of a reading, by the settings of both sides and by blocks. */
import { beforeAll, describe, expect, test } from 'vitest';
import { connect, type Device, settle } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';
import {
  connectGroup,
  connectPair,
  marksSeenBy,
  readersSeenBy,
  send,
  setReadReceipts,
  statusesSeenBy,
  to,
} from './receipt-scenes.ts';

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});

describe('in a pair with read receipts switched off', () => {
  test.each(['reader', 'sender'] as const)('by the %s, the sender learns only of the delivery', async (who) => {
    const { a, b } = await connectPair(server.url);
    const b2 = await connect(server.url, b.account);
    await setReadReceipts(server.url, (who === 'reader' ? b : a).account, false);
    await send(a, b.account, 'one', 'two');
    expect(await b.ok('message:read', { ...to(a.account), up_to_seq: 2 })).toEqual({ unread_count: 0 });
    expect(await a.next('message:status')).toMatchObject({ delivered_seq: 2, read_seq: 0 });
    expect(await statusesSeenBy(a, b.account)).toEqual(['delivered', 'delivered']);
    expect(await marksSeenBy(a, b.id)).toEqual({ user_id: b.id, delivered_seq: 2, read_seq: 0 });
    // The reader's own devices see the true mark.
    expect(await marksSeenBy(b, b.id)).toEqual({ user_id: b.id, delivered_seq: 2, read_seq: 2 });
    expect((await b2.next('conversation:updated')).conversation.unread_count).toBe(0);
  });

  test('a reading after the delivery tells the sender nothing at all', async () => {
    const { a, b } = await connectPair(server.url);
    await setReadReceipts(server.url, b.account, false);
    await send(a, b.account, 'one');
    await b.ok('message:delivered', { ...to(a.account), up_to_seq: 1 });
    await a.next('message:status');
    const { server_time } = await a.ok('sync', {});
    a.clear();
    await b.ok('message:read', { ...to(a.account), up_to_seq: 1 });
    await settle(a);
    expect(a.events).toEqual([]);
    // Not even that anything changed.
    expect((await a.ok('sync', { since: server_time })).conversations).toEqual([]);
    expect((await b.ok('sync', { since: server_time })).conversations).toHaveLength(1);
  });

  test('a later change of the setting neither reveals a reading nor takes one back', async () => {
    const { a, b } = await connectPair(server.url);
    await setReadReceipts(server.url, b.account, false);
    await send(a, b.account, 'one');
    await b.ok('message:read', { ...to(a.account), up_to_seq: 1 });
    await setReadReceipts(server.url, b.account, true);
    await b.ok('message:read', { ...to(a.account), up_to_seq: 1 });
    expect(await statusesSeenBy(a, b.account)).toEqual(['delivered']);
    expect(await marksSeenBy(a, b.id)).toMatchObject({ read_seq: 0 });
    await send(a, b.account, 'two');
    await b.ok('message:read', { ...to(a.account), up_to_seq: 2 });
    expect(await statusesSeenBy(a, b.account)).toEqual(['delivered', 'read']);
    await setReadReceipts(server.url, b.account, false);
    expect(await statusesSeenBy(a, b.account)).toEqual(['delivered', 'read']);
    expect(await marksSeenBy(a, b.id)).toMatchObject({ read_seq: 2 });
  });

  test('a hidden reading leaves the mark where it was, even over one’s own messages alone', async () => {
    const { a, b } = await connectPair(server.url);
    await send(b, a.account, 'mine');
    await setReadReceipts(server.url, b.account, false);
    await b.ok('message:read', { ...to(a.account), up_to_seq: 1 });
    expect(await marksSeenBy(a, b.id)).toMatchObject({ read_seq: 0 });
  });
});

describe('in a group with read receipts switched off', () => {
  test('a reader stays out of read_by and shows no reading', async () => {
    const { devices, group } = await connectGroup(server.url, 3);
    const [a, b, c] = devices as [Device, Device, Device];
    await setReadReceipts(server.url, b.account, false);
    await a.ok('message:send', { ...group, content: 'one' });
    expect(await b.ok('message:read', { ...group, up_to_seq: 1 })).toEqual({ unread_count: 0 });
    expect(await a.next('message:status')).toMatchObject({ user_id: b.id, delivered_seq: 1, read_seq: 0 });
    expect(await readersSeenBy(a, group)).toEqual([[]]);
    expect(await marksSeenBy(c, b.id)).toMatchObject({ read_seq: 0 });
    expect(await marksSeenBy(b, b.id)).toMatchObject({ read_seq: 1 });
  });

  test('a reader who switches them off later leaves the shown mark where it was', async () => {
    const { devices, group } = await connectGroup(server.url, 3);
    const [a, b] = devices as [Device, Device, Device];
    await a.ok('message:send', { ...group, content: 'one' });
    await b.ok('message:read', { ...group, up_to_seq: 1 });
    await setReadReceipts(server.url, b.account, false);
    await a.ok('message:send', { ...group, content: 'two' });
    await b.ok('message:read', { ...group, up_to_seq: 2 });
    await a.ok('message:send', { ...group, content: 'three' });
    await b.ok('message:delivered', { ...group, up_to_seq: 3 });
    await settle(a);
    expect(a.seen('message:status').map(({ delivered_seq, read_seq }) => [delivered_seq, read_seq])).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
    ]);
    expect(await marksSeenBy(a, b.id)).toMatchObject({ delivered_seq: 3, read_seq: 1 });
  });

  test('a sender learns of no reading, while other senders do', async () => {
    const { devices, group } = await connectGroup(server.url, 3);
    const [a, b, c] = devices as [Device, Device, Device];
    await setReadReceipts(server.url, a.account, false);
    await a.ok('message:send', { ...group, content: 'hidden from its sender' });
    await b.ok('message:send', { ...group, content: 'shown' });
    await c.ok('message:read', { ...group, up_to_seq: 2 });
    expect(await a.next('message:status')).toMatchObject({ delivered_seq: 2, read_seq: 0 });
    expect(await b.next('message:status')).toMatchObject({ delivered_seq: 2, read_seq: 2 });
    expect(await readersSeenBy(c, group)).toEqual([[], [c.id]]);
    expect(await marksSeenBy(a, c.id)).toMatchObject({ delivered_seq: 2, read_seq: 0 });
    expect(await marksSeenBy(b, c.id)).toMatchObject({ delivered_seq: 2, read_seq: 2 });
  });
});

describe('under a block', () => {
  test.each(['reader', 'sender'] as const)(
    'by the %s, the reader’s unread count clears and nothing passes',
    async (who) => {
      const { a, b } = await connectPair(server.url);
      await send(a, b.account, 'one');
      if (who === 'reader') await b.ok('contact:block', { user_id: a.id });
      else await a.ok('contact:block', { user_id: b.id });
      const { server_time } = await a.ok('sync', {});
      a.clear();
      await b.ok('message:delivered', { ...to(a.account), up_to_seq: 1 });
      expect(await b.ok('message:read', { ...to(a.account), up_to_seq: 1 })).toEqual({ unread_count: 0 });
      await settle(a);
      expect(a.events).toEqual([]);
      expect(await statusesSeenBy(a, b.account)).toEqual(['sent']);
      expect(await marksSeenBy(a, b.id)).toEqual({ user_id: b.id, delivered_seq: 0, read_seq: 0 });
      expect(await marksSeenBy(b, b.id)).toEqual({ user_id: b.id, delivered_seq: 1, read_seq: 1 });
      expect((await a.ok('sync', { since: server_time })).conversations).toEqual([]);
    },
  );

  test('what was read stays unread for the sender once the block is lifted', async () => {
    const { a, b } = await connectPair(server.url);
    await send(a, b.account, 'one');
    await b.ok('contact:block', { user_id: a.id });
    await b.ok('message:read', { ...to(a.account), up_to_seq: 1 });
    await b.ok('contact:unblock', { user_id: a.id });
    await send(a, b.account, 'two');
    await b.ok('message:read', { ...to(a.account), up_to_seq: 2 });
    expect(await statusesSeenBy(a, b.account)).toEqual(['delivered', 'read']);
  });

  test('receipts go on between two members of a group', async () => {
    const { devices, group } = await connectGroup(server.url, 2);
    const [a, b] = devices as [Device, Device];
    await a.ok('contact:block', { user_id: b.id });
    await a.ok('message:send', { ...group, content: 'one' });
    await b.ok('message:read', { ...group, up_to_seq: 1 });
    expect(await a.next('message:status')).toMatchObject({ user_id: b.id, read_seq: 1 });
  });
});
