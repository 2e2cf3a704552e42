import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Conversation } from '../../shared/contract/documents.ts';
import { type Account, connect, type Device, http, register, registerMany, settle } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const to = (account: Account) => ({ recipient_id: account.id });

async function device(): Promise<Device> {
  return connect(server.url, await register(server.url));
}

/** All pages of a list. */
async function pages(viewer: Device, limit: number): Promise<Conversation[][]> {
  const found: Conversation[][] = [];
  let cursor: string | undefined;
  do {
    const page = await viewer.ok('conversation:list', { limit, ...(cursor === undefined ? {} : { cursor }) });
    found.push(page.conversations);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

describe('conversation:list', () => {
  test('shows a pair to both, each with the other as peer, the same id, and only after the first message', async () => {
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

  test('is ordered by the newest message, or a group’s creation or one’s joining', async () => {
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

  test('an edit, a deletion and a reaction move nothing, but are shown', async () => {
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

  test('gives pages without repeating or skipping what stays where it is', async () => {
    const a = await device();
    const others = await registerMany(server.url, 7);
    for (const other of others) await a.ok('message:send', { ...to(other), content: 'hello' });
    for (let i = 0; i < 3; i++) await a.ok('group:create', { name: `G${i}`, member_ids: [] });
    const whole = (await a.ok('conversation:list')).conversations.map((one) => one.conversation_id);
    expect(whole).toHaveLength(10);
    for (const limit of [1, 3, 4, 10]) {
      const found = await pages(a, limit);
      expect(found.flat().map((one) => one.conversation_id)).toEqual(whole);
      expect(found.every((page) => page.length <= limit && page.length > 0)).toBe(true);
    }
    const first = await a.ok('conversation:list', { limit: 4 });
    // One of the first page and one of those still to come move up meanwhile.
    const moving = others.find((one) => whole[9]?.includes(one.id))!;
    await a.ok('message:send', { ...to(moving), content: 'up' });
    await a.ok('message:send', { group_id: whole[1]!, content: 'up' });
    const rest = await a.ok('conversation:list', { limit: 100, cursor: first.cursor! });
    expect(rest.conversations.map((one) => one.conversation_id)).toEqual(whole.slice(4, 9));
  });

  test('refuses a malformed cursor and a limit above the maximum', async () => {
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

  test('leaves out groups that one is no longer in, and deleted ones', async () => {
    const [a, b] = [await device(), await device()];
    const { group: left } = await a.ok('group:create', { name: 'Left', member_ids: [b.id] });
    const { group: deleted } = await a.ok('group:create', { name: 'Deleted', member_ids: [b.id] });
    const { group: kept } = await a.ok('group:create', { name: 'Kept', member_ids: [b.id] });
    await b.ok('group:leave', { group_id: left._id });
    await a.ok('group:delete', { group_id: deleted._id });
    expect((await b.ok('conversation:list')).conversations.map((one) => one.conversation_id)).toEqual([kept._id]);
  });

  test('keeps the conversation with a deactivated user, who is shown as such', async () => {
    const [a, b] = [await device(), await device()];
    await a.ok('message:send', { ...to(b.account), content: 'hello' });
    await http(server.url, 'DELETE', '/users/me', {
      token: b.account.access_token,
      body: { password: b.account.password },
    });
    expect((await a.ok('conversation:list')).conversations[0]).toMatchObject({ peer: { _id: b.id, is_active: false } });
  });
});

describe('conversation:update', () => {
  test('sets and clears what is the caller’s own, and tells the caller’s other devices only', async () => {
    const [a, b] = [await device(), await device()];
    const a2 = await connect(server.url, a.account);
    await a.ok('message:send', { ...to(b.account), content: 'hello' });
    const muted_until = '2030-01-01T00:00:00.000Z';
    b.clear();
    const { conversation } = await a.ok('conversation:update', { ...to(b.account), muted_until, pinned: true });
    expect(conversation).toMatchObject({ muted_until, pinned: true, last_seq: 1 });
    expect(conversation).not.toHaveProperty('archived');
    expect((await a2.next('conversation:updated')).conversation).toEqual(conversation);
    await a.ok('conversation:update', { ...to(b.account), archived: true });
    const cleared = await a.ok('conversation:update', { ...to(b.account), muted_until: null, pinned: false });
    expect(cleared.conversation).toMatchObject({ pinned: false, archived: true });
    expect(cleared.conversation.muted_until ?? null).toBeNull();
    expect((await a2.ok('conversation:list')).conversations[0]).toEqual(cleared.conversation);
    const [seenByOther] = (await b.ok('conversation:list')).conversations;
    expect(seenByOther).not.toHaveProperty('pinned');
    await settle(a, b);
    expect(b.events).toEqual([]);
    expect(a.seen('conversation:updated')).toEqual([]);
  });

  test('a group’s too, though nothing was written in it', async () => {
    const a = await device();
    const { group } = await a.ok('group:create', { name: 'Quiet', member_ids: [] });
    const { conversation } = await a.ok('conversation:update', { group_id: group._id, archived: true });
    expect(conversation).toMatchObject({ kind: 'group', archived: true, last_message: null, last_seq: 0 });
  });

  test('not_found where nothing was written, for unknown users and foreign groups; refused when malformed', async () => {
    const [a, b] = [await device(), await device()];
    const { group } = await b.ok('group:create', { name: 'Foreign', member_ids: [] });
    for (const target of [to(b.account), { recipient_id: 'f'.repeat(24) }, { group_id: group._id }]) {
      expect((await a.refused('conversation:update', { ...target, pinned: true })).code).toBe('not_found');
    }
    for (const payload of [
      { ...to(b.account), pinned: 'yes' },
      { ...to(b.account), muted_until: 'tomorrow' },
      { ...to(b.account), colour: 'red' },
      { pinned: true },
      { ...to(a.account), pinned: true },
    ]) {
      expect((await a.refused('conversation:update', payload)).code).toBe('validation_failed');
    }
  });

  test('two devices at once: both settings are kept', async () => {
    const [a, b] = [await device(), await device()];
    const a2 = await connect(server.url, a.account);
    await a.ok('message:send', { ...to(b.account), content: 'hello' });
    await Promise.all([
      a.ok('conversation:update', { ...to(b.account), pinned: true }),
      a2.ok('conversation:update', { ...to(b.account), archived: true }),
    ]);
    expect((await a.ok('conversation:list')).conversations[0]).toMatchObject({ pinned: true, archived: true });
  });
});
