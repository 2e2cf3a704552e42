import { beforeAll, describe, expect, test } from 'vitest';
import type { Conversation } from '../../shared/contract/documents.ts';
import { type Account, connect, type Device, http, register, registerMany } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});

const to = (account: Account) => ({ recipient_id: account.id });

async function device(): Promise<Device> {
  return connect(server.url, await register(server.url));
}

describe('conversation:list', () => {
  test('shows a pair to both users under one id, each with the other as peer, from the first message on', async () => {
    const [a, b] = [await device(), await device()];
    expect(await a.ok('conversation:list')).toEqual({ conversations: [] });
    const { message } = await a.ok('message:send', { ...to(b.account), content: 'hello' });
    for (const [viewer, other, unread] of [
      [a, b, 0],
      [b, a, 1],
    ] as const) {
      const { conversations, cursor } = await viewer.ok('conversation:list');
      expect(cursor).toBeUndefined();
      expect(conversations).toHaveLength(1);
      expect(conversations[0]).toMatchObject({
        conversation_id: message.conversation_id,
        kind: 'direct',
        peer: { _id: other.id, username: other.account.username, is_active: true },
        last_message: message,
        last_seq: 1,
        rev: 1,
        unread_count: unread,
        updated_at: message.created_at,
      });
      expect(conversations[0]?.receipts.map((one) => one.user_id).sort()).toEqual([a.id, b.id].sort());
      expect(Object.keys(conversations[0]!.peer!)).not.toContain('email');
    }
  });

  test('leaves out deleted groups and groups that the caller has left', async () => {
    const [a, b] = [await device(), await device()];
    const { group: left } = await a.ok('group:create', { name: 'Left', member_ids: [b.id] });
    const { group: deleted } = await a.ok('group:create', { name: 'Deleted', member_ids: [b.id] });
    const { group: kept } = await a.ok('group:create', { name: 'Kept', member_ids: [b.id] });
    await b.ok('group:leave', { group_id: left._id });
    await a.ok('group:delete', { group_id: deleted._id });
    expect((await b.ok('conversation:list')).conversations.map((one) => one.conversation_id)).toEqual([kept._id]);
  });

  test('keeps the conversation with a deactivated user and shows the user as inactive', async () => {
    const [a, b] = [await device(), await device()];
    await a.ok('message:send', { ...to(b.account), content: 'hello' });
    await http(server.url, 'DELETE', '/users/me', {
      token: b.account.access_token,
      body: { password: b.account.password },
    });
    expect((await a.ok('conversation:list')).conversations[0]).toMatchObject({ peer: { _id: b.id, is_active: false } });
  });
});

describe('the order of conversation:list', () => {
  test('is by the newest message, or by a group’s creation or the caller’s joining', async () => {
    const a = await device();
    const [b, c, d] = await registerMany(server.url, 3);
    await a.ok('message:send', { ...to(b!), content: 'first' });
    const { group } = await a.ok('group:create', { name: 'Older', member_ids: [] });
    await a.ok('message:send', { ...to(c!), content: 'second' });
    const other = await connect(server.url, d!);
    const { group: joined } = await other.ok('group:create', { name: 'Joined late', member_ids: [] });
    await other.ok('group:add_members', { group_id: joined._id, user_ids: [a.id] });
    const order = async () =>
      (await a.ok('conversation:list')).conversations.map((one) => one.peer?._id ?? one.group?._id);
    expect(await order()).toEqual([joined._id, c!.id, group._id, b!.id]);
    await a.ok('message:send', { ...to(b!), content: 'up' });
    await a.ok('message:send', { group_id: group._id, content: 'up' });
    expect(await order()).toEqual([group._id, b!.id, joined._id, c!.id]);
    const { conversations } = await a.ok('conversation:list');
    const times = conversations.map((one) => one.updated_at);
    expect(times).toEqual([...times].sort().reverse());
  });

  test('does not change by edits and deletions, which are shown', async () => {
    const a = await device();
    const [b, c] = await registerMany(server.url, 2);
    const { message } = await a.ok('message:send', { ...to(b!), content: 'first' });
    await a.ok('message:send', { ...to(c!), content: 'second' });
    await a.ok('message:edit', { message_id: message._id, content: 'edited' });
    const { conversations } = await a.ok('conversation:list');
    expect(conversations.map((one) => one.peer?._id)).toEqual([c!.id, b!.id]);
    expect(conversations[1]).toMatchObject({ rev: 2, last_seq: 1, last_message: { content: 'edited', rev: 2 } });
    await a.ok('message:delete', { message_id: message._id });
    const after = await a.ok('conversation:list');
    expect(after.conversations[1]?.last_message).toMatchObject({ is_deleted: true, content: '' });
  });
});

/** All pages of a list. */
async function readPages(viewer: Device, limit: number): Promise<Conversation[][]> {
  const pages: Conversation[][] = [];
  let cursor: string | undefined;
  do {
    const page = await viewer.ok('conversation:list', { limit, ...(cursor === undefined ? {} : { cursor }) });
    pages.push(page.conversations);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return pages;
}

describe('the pages of conversation:list', () => {
  test('neither repeat nor skip conversations that stay where they are', async () => {
    const a = await device();
    const others = await registerMany(server.url, 7);
    for (const other of others) await a.ok('message:send', { ...to(other), content: 'hello' });
    for (let i = 0; i < 3; i++) await a.ok('group:create', { name: `G${i}`, member_ids: [] });
    const whole = (await a.ok('conversation:list')).conversations.map((one) => one.conversation_id);
    expect(whole).toHaveLength(10);
    for (const limit of [1, 3, 4, 10]) {
      const pages = await readPages(a, limit);
      expect(pages.flat().map((one) => one.conversation_id)).toEqual(whole);
      expect(pages.every((page) => page.length <= limit && page.length > 0)).toBe(true);
    }
    const first = await a.ok('conversation:list', { limit: 4 });
    // A conversation of the first page and one still to come move up meanwhile.
    const moving = others.find((one) => whole[9]?.includes(one.id))!;
    await a.ok('message:send', { ...to(moving), content: 'up' });
    await a.ok('message:send', { group_id: whole[1]!, content: 'up' });
    const rest = await a.ok('conversation:list', { limit: 100, cursor: first.cursor! });
    expect(rest.conversations.map((one) => one.conversation_id)).toEqual(whole.slice(4, 9));
  });

  test('are refused for a malformed cursor and for a limit out of range', async () => {
    const a = await device();
    for (const payload of [
      { cursor: 'nonsense' },
      { cursor: Buffer.from('12 x').toString('base64url') },
      { cursor: '' },
      { limit: 101 },
      { limit: 0 },
    ]) {
      expect((await a.refused('conversation:list', payload)).code).toBe('validation_failed');
    }
  });
});
