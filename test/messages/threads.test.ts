import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Message } from '../../shared/contract/documents.ts';
import { connect, type Device, register, registerMany, settle } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let ann: Device;
let bob: Device;
let eve: Device;
let target: { group_id: string };
let root: Message;

beforeAll(async () => {
  server = await sharedServer();
  const accounts = await registerMany(server.url, 3);
  [ann, bob, eve] = (await Promise.all(accounts.map((account) => connect(server.url, account)))) as [
    Device,
    Device,
    Device,
  ];
});
afterAll(() => {
  for (const device of [ann, bob, eve]) device?.close();
});
beforeEach(async () => {
  const { group } = await ann.ok('group:create', { name: 'Crew', member_ids: [bob.id, eve.id] });
  target = { group_id: group._id };
  ({ message: root } = await ann.ok('message:send', { ...target, content: 'root' }));
});

const reply = async (device: Device, more: object = {}) =>
  (await device.ok('message:send', { ...target, content: 'reply', thread_id: root._id, ...more })).message;
const thread = (device: Device, more: object = {}) => device.ok('message:thread', { message_id: root._id, ...more });
const code = async (refusal: Promise<{ code: string }>) => (await refusal).code;
const ids = (messages: readonly Message[]) => messages.map(({ _id }) => _id);

async function conversationOf(device: Device) {
  const { conversations } = await device.ok('conversation:list');
  return conversations.find(({ conversation_id }) => conversation_id === target.group_id)!;
}

describe('a reply in a thread', () => {
  it('is a message of the conversation that counts in nothing of it', async () => {
    const before = await conversationOf(bob);
    const sent = await reply(ann);
    expect(sent).toMatchObject({ thread_id: root._id, seq: root.seq + 1, rev: root.rev + 1 });
    expect(sent).not.toHaveProperty('in_conversation');
    expect((await bob.next('message:new', (news) => news.message._id === sent._id)).message).toEqual(sent);
    const after = await conversationOf(bob);
    expect(after).toMatchObject({ unread_count: before.unread_count, last_seq: sent.seq, rev: sent.rev });
    expect(after.updated_at).toBe(before.updated_at);
    expect(after.last_message).toMatchObject({ _id: root._id, thread: { reply_count: 1, user_ids: [ann.id] } });
    const history = await bob.ok('message:history', target);
    expect(ids(history.messages)).toEqual([root._id]);
    expect(history.messages[0]!.thread).toEqual({
      reply_count: 1,
      last_reply_at: sent.created_at,
      user_ids: [ann.id],
    });
    expect(ids((await bob.ok('message:history', { ...target, threads: true })).messages)).toEqual([root._id, sent._id]);
    const { conversations } = await bob.ok('sync', { conversations: { [target.group_id]: 0 }, limit: 1000 });
    const synced = conversations.find(({ conversation }) => conversation.conversation_id === target.group_id)!;
    expect(ids(synced.messages)).toEqual([root._id, sent._id]);
    expect(synced.conversation.last_message).toMatchObject({ _id: root._id });
  });

  it('counts like any message with in_conversation', async () => {
    const sent = await reply(ann, { in_conversation: true });
    expect(sent.in_conversation).toBe(true);
    const after = await conversationOf(bob);
    expect(after).toMatchObject({ unread_count: 2, last_message: { _id: sent._id }, updated_at: sent.created_at });
    expect(ids((await bob.ok('message:history', target)).messages)).toEqual([root._id, sent._id]);
  });

  it('leaves the conversation to what comes after it', async () => {
    await reply(ann);
    const { message: next } = await ann.ok('message:send', { ...target, content: 'next' });
    await reply(ann);
    expect(await conversationOf(bob)).toMatchObject({
      unread_count: 2,
      last_message: { _id: next._id },
      last_seq: next.seq + 1,
      updated_at: next.created_at,
    });
  });

  it('needs a visible root of the conversation that is no reply and not deleted', async () => {
    const sent = await reply(bob);
    const send = (more: object) => bob.refused('message:send', { ...target, content: 'x', ...more });
    expect(await code(send({ thread_id: sent._id }))).toBe('conflict');
    expect(await code(send({ thread_id: 'f'.repeat(24) }))).toBe('not_found');
    const { message: elsewhere } = await ann.ok('message:send', { recipient_id: bob.id, content: 'x' });
    expect(await code(send({ thread_id: elsewhere._id }))).toBe('not_found');
    expect(await code(send({ in_conversation: true }))).toBe('validation_failed');
    const { message: other } = await ann.ok('message:send', { ...target, content: 'other' });
    expect(await code(send({ thread_id: root._id, reply_to: other._id }))).toBe('validation_failed');
    for (const reply_to of [root._id, sent._id]) expect(await reply(bob, { reply_to })).toMatchObject({ reply_to });
    await ann.ok('message:delete', { message_id: root._id });
    expect(await code(send({ thread_id: root._id }))).toBe('conflict');
    const late = await connect(server.url, await register(server.url));
    await ann.ok('group:add_members', { ...target, user_ids: [late.id] });
    expect(await code(late.refused('message:send', { ...target, content: 'x', thread_id: other._id }))).toBe(
      'not_found',
    );
    late.close();
  });

  it('is forgotten by the counts once deleted; its tombstone and a deleted root’s thread stay', async () => {
    const [first, second] = [await reply(bob), await reply(eve)];
    const { message: tombstone } = await eve.ok('message:delete', { message_id: second._id });
    expect(tombstone.thread_id).toBe(root._id);
    const { root: shown, messages } = await thread(ann);
    expect(shown.thread).toEqual({ reply_count: 1, last_reply_at: first.created_at, user_ids: [bob.id] });
    expect(messages).toEqual([expect.objectContaining({ _id: first._id }), tombstone]);
    const { message: gone } = await ann.ok('message:delete', { message_id: root._id });
    expect(gone).toMatchObject({ is_deleted: true, thread: shown.thread });
    expect((await bob.next('message:updated', (news) => news.message.rev === gone.rev)).message).toEqual(gone);
    expect(ids((await thread(bob)).messages)).toEqual([first._id, second._id]);
    await bob.ok('message:delete', { message_id: first._id });
    expect((await thread(ann)).root).not.toHaveProperty('thread');
  });

  it('is in every change of its root that is told, with the last five who replied', async () => {
    const others = await Promise.all(
      (await registerMany(server.url, 4)).map((account) => connect(server.url, account)),
    );
    await ann.ok('group:add_members', { ...target, user_ids: others.map(({ id }) => id) });
    const { message } = await ann.ok('message:send', { ...target, content: 'for all' });
    const all = [ann, bob, eve, ...others];
    for (const device of all) await device.ok('message:send', { ...target, content: 'x', thread_id: message._id });
    await ann.ok('message:send', { ...target, content: 'x', thread_id: message._id });
    const { message: reacted } = await bob.ok('message:react', { message_id: message._id, emoji: '👍' });
    const newestFirst = [ann, ...others.toReversed(), eve, bob].map(({ id }) => id);
    expect(reacted.thread).toMatchObject({ reply_count: 8, user_ids: newestFirst.slice(0, 5) });
    expect((await eve.next('message:updated', (news) => news.message.rev === reacted.rev)).message).toEqual(reacted);
    for (const device of others) device.close();
  });

  it('never comes after the deletion of its root', async () => {
    for (let round = 0; round < 5; round++) {
      const { message } = await ann.ok('message:send', { ...target, content: 'root' });
      const sends = Array.from({ length: 6 }, (_, i) =>
        (i % 2 ? bob : eve).raw('message:send', { ...target, content: `${i}`, thread_id: message._id }),
      );
      const [deleted, ...answers] = await Promise.all([
        ann.ok('message:delete', { message_id: message._id }),
        ...sends,
      ]);
      for (const { ok, data, error } of answers) {
        if (ok) expect((data as { message: Message }).message.rev).toBeLessThan(deleted.message.rev);
        else expect(error!.code).toBe('conflict');
      }
    }
  });
});

describe('message:thread', () => {
  it('shows pages of replies, the newest without bounds', async () => {
    const sent: Message[] = [];
    for (let i = 0; i < 5; i++) sent.push(await reply(bob, { content: `${i}` }));
    const newest = await thread(ann, { limit: 2 });
    expect([ids(newest.messages), newest.has_more]).toEqual([ids(sent.slice(3)), true]);
    const before = await thread(ann, { limit: 3, before_seq: sent[3]!.seq });
    expect([ids(before.messages), before.has_more]).toEqual([ids(sent.slice(0, 3)), false]);
    const after = await thread(ann, { limit: 2, after_seq: sent[0]!.seq });
    expect([ids(after.messages), after.has_more]).toEqual([ids(sent.slice(1, 3)), true]);
    expect(await code(ann.refused('message:thread', { message_id: sent[0]!._id }))).toBe('conflict');
    const stranger = await connect(server.url, await register(server.url));
    for (const name of ['message:thread', 'thread:follow', 'thread:read']) {
      const payload = { message_id: root._id, ...(name === 'thread:follow' ? { following: true } : {}) };
      const whole = { ...payload, ...(name === 'thread:read' ? { up_to_seq: 1 } : {}) };
      expect(await code(stranger.refused(name, whole))).toBe('not_found');
      expect(await code(ann.refused(name, { ...whole, message_id: sent[0]!._id }))).toBe('conflict');
    }
    stranger.close();
  });
});

describe('following', () => {
  const isFollowing = async (device: Device) => (await thread(device)).following;

  it('begins by replying, by being named, and for the author once somebody else replies', async () => {
    await reply(ann);
    expect([await isFollowing(ann), await isFollowing(bob)]).toEqual([true, false]);
    const { message } = await bob.ok('message:send', { ...target, content: 'mine', mentions: { user_ids: [ann.id] } });
    root = message;
    await reply(bob, { mentions: { everyone: true } });
    expect(await Promise.all([ann, bob, eve].map(isFollowing))).toEqual([false, true, false]);
    for (const device of [ann, eve]) device.clear();
    const named = await reply(bob, { mentions: { user_ids: [eve.id] } });
    expect(await Promise.all([ann, bob, eve].map(isFollowing))).toEqual([false, true, true]);
    expect(await eve.next('thread:updated')).toEqual({
      message_id: root._id,
      conversation_id: target.group_id,
      following: true,
      read_seq: 0,
      unread_count: 2,
    });
    await bob.ok('message:edit', { message_id: named._id, content: 'x', mentions: { user_ids: [ann.id] } });
    expect(await isFollowing(ann)).toBe(true);
  });

  it('ends by one’s own word, also before the first reply, until one replies or is named again', async () => {
    const laptop = await connect(server.url, ann.account);
    await ann.ok('thread:follow', { message_id: root._id, following: false });
    await reply(bob);
    expect(await isFollowing(ann)).toBe(false);
    await reply(bob, { mentions: { user_ids: [ann.id] } });
    expect(await isFollowing(ann)).toBe(true);
    expect((await laptop.next('thread:updated')).following).toBe(true);
    laptop.clear();
    expect(await ann.ok('thread:follow', { message_id: root._id, following: false })).toEqual({ following: false });
    expect((await laptop.next('thread:updated')).following).toBe(false);
    await reply(bob);
    expect(await isFollowing(ann)).toBe(false);
    await reply(ann);
    expect(await isFollowing(ann)).toBe(true);
    laptop.close();
  });

  it('a repeat of a reply does not follow anew for who has ended it since', async () => {
    const payload = { client_message_id: 'r1', mentions: { user_ids: [eve.id] } };
    await reply(bob, payload);
    await eve.ok('thread:follow', { message_id: root._id, following: false });
    await reply(bob, payload);
    expect(await isFollowing(eve)).toBe(false);
  });
});

describe('thread:read', () => {
  it('has a mark of its own, and tells the other devices', async () => {
    const laptop = await connect(server.url, ann.account);
    const [first, second] = [await reply(bob), await reply(eve)];
    await reply(ann);
    const before = await conversationOf(ann);
    expect((await thread(ann)).unread_count).toBe(2);
    laptop.clear();
    expect(await ann.ok('thread:read', { message_id: root._id, up_to_seq: first.seq })).toEqual({ unread_count: 1 });
    expect(await laptop.next('thread:updated', ({ read_seq }) => read_seq === first.seq)).toMatchObject({
      following: true,
      unread_count: 1,
    });
    expect(await ann.ok('thread:read', { message_id: root._id, up_to_seq: 1 })).toEqual({ unread_count: 1 });
    await eve.ok('message:delete', { message_id: second._id });
    expect((await thread(ann)).unread_count).toBe(0);
    expect((await conversationOf(ann)).receipts).toEqual(before.receipts);
    await ann.ok('message:read', { ...target, up_to_seq: second.seq });
    expect((await thread(ann)).read_seq).toBe(first.seq);
    const beyond = { message_id: root._id, up_to_seq: second.seq + 10 };
    expect(await code(ann.refused('thread:read', beyond))).toBe('validation_failed');
    laptop.close();
  });
});

describe('thread:list', () => {
  it('lists the followed threads that have a reply, the newest one first, in pages', async () => {
    const zoe = await connect(server.url, await register(server.url));
    await ann.ok('group:add_members', { ...target, user_ids: [zoe.id] });
    const roots: Message[] = [];
    for (const to of [target, { recipient_id: ann.id }, target, target]) {
      roots.push((await zoe.ok('message:send', { ...to, content: 'root' } as never)).message);
    }
    const replies: Message[] = [];
    for (const i of [2, 0, 1]) {
      const to = i === 1 ? { recipient_id: zoe.id } : target;
      const payload = { ...to, content: `${i}`, thread_id: roots[i]!._id };
      replies.unshift((await ann.ok('message:send', payload as never)).message);
    }
    const { threads } = await zoe.ok('thread:list');
    expect(threads.map(({ root: one }) => one._id)).toEqual(ids([roots[1]!, roots[0]!, roots[2]!]));
    expect(threads.map(({ last_reply }) => last_reply._id)).toEqual(ids(replies));
    expect(threads[0]).toMatchObject({ reply_count: 1, unread_count: 1, read_seq: 0 });
    expect(threads[0]!.root.thread).toMatchObject({ reply_count: 1, user_ids: [ann.id] });
    const first = await zoe.ok('thread:list', { limit: 2 });
    const second = await zoe.ok('thread:list', { limit: 2, cursor: first.cursor! });
    expect([...first.threads, ...second.threads]).toEqual(threads);
    expect(second.cursor).toBeUndefined();
    expect(await code(zoe.refused('thread:list', { cursor: 'x' }))).toBe('validation_failed');

    await ann.ok('message:delete', { message_id: replies[0]!._id });
    await zoe.ok('thread:follow', { message_id: roots[2]!._id, following: false });
    expect((await zoe.ok('thread:list')).threads.map(({ root: one }) => one._id)).toEqual([roots[0]!._id]);
    await ann.ok('group:remove_member', { ...target, user_id: zoe.id });
    expect((await zoe.ok('thread:list')).threads).toEqual([]);
    await settle(zoe);
    zoe.close();
  });
});
