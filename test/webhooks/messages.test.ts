/** What a webhook is told of messages, by a real server. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Account, connect, type Device, register, registerMany } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { makeWebhook, operator, startReceiver, type TestReceiver, WEBHOOK_ENV, webhookNamed } from './receiver.ts';

let server: TestServer;
let receiver: TestReceiver;
beforeAll(async () => {
  server = await startServer({ env: WEBHOOK_ENV });
  receiver = await startReceiver();
});
afterAll(async () => {
  await server.stop();
  await receiver.close();
});

let serial = 0;
let name: string;
let ann: Device;
let bob: Device;
let accounts: Account[];
beforeEach(async () => {
  for (const { name: old } of (await operator(server.url, 'GET', '')).json.webhooks) {
    await operator(server.url, 'DELETE', `/${old}`);
  }
  receiver.received.length = 0;
  receiver.answer = () => 204;
  name = `hook-${serial++}`;
  accounts = await registerMany(server.url, 3);
  [ann, bob] = (await Promise.all(accounts.slice(0, 2).map((account) => connect(server.url, account)))) as [
    Device,
    Device,
  ];
  expect(receiver.faults).toEqual([]);
});

const send = async (content: string, to: object = { recipient_id: bob.id }, by = ann) =>
  (await by.ok('message:send', { ...to, content })).message;
/** Types and contents of a conversation's events, in their order. */
const told = (conversationId: string) =>
  receiver.messagesOf(conversationId).map(({ type, data }) => `${type} ${data.message.content}`);

describe('a webhook', () => {
  it('is told of messages, edits, reactions and deletions in the order of rev, signed, with the conversation', async () => {
    await makeWebhook(server.url, name, receiver);
    const first = await send('one');
    const second = await send('two', { recipient_id: ann.id }, bob);
    const { conversation_id } = first;
    await eventually(() => expect(told(conversation_id)).toEqual(['message.new one', 'message.new two']));
    await ann.ok('message:edit', { message_id: first._id, content: 'edited' });
    await eventually(() => expect(told(conversation_id)).toHaveLength(3));
    await bob.ok('message:react', { message_id: first._id, emoji: '👍' });
    await eventually(() => expect(told(conversation_id)).toHaveLength(4));
    await bob.ok('message:delete', { message_id: second._id });
    await eventually(() => expect(told(conversation_id)).toHaveLength(5));
    expect(told(conversation_id).slice(2)).toEqual([
      'message.updated edited',
      'message.updated edited',
      'message.updated ',
    ]);
    const events = receiver.messagesOf(conversation_id);
    expect(events.map(({ data }) => data.message.rev)).toEqual([1, 2, 3, 4, 5]);
    expect(events[3]!.data.message.reactions).toEqual([{ emoji: '👍', user_ids: [bob.id] }]);
    expect(events[4]!.data.message).toMatchObject({ is_deleted: true, seq: 2 });
    for (const { data, timestamp } of events) {
      expect(data.conversation).toEqual({ conversation_id, kind: 'direct', user_ids: [ann.id, bob.id].sort() });
      expect(timestamp).toBe(data.message.updated_at);
    }
    expect(new Set(events.map(({ id }) => id)).size).toBe(5);
    expect(receiver.faults).toEqual([]);
  });

  it('is told of replies, pins, forwards and mentions as members see them, and of no revisions', async () => {
    await makeWebhook(server.url, name, receiver);
    const root = await send('root');
    const { conversation_id } = root;
    const reply = await send('reply', { recipient_id: ann.id, thread_id: root._id }, bob);
    await eventually(() => expect(told(conversation_id)).toEqual(['message.new root', 'message.new reply']));
    await bob.ok('message:pin', { message_id: root._id, pinned: true });
    await eventually(() => expect(told(conversation_id)).toHaveLength(3));
    const mentions = { user_ids: [bob.id] };
    const { message: edited } = await ann.ok('message:edit', { message_id: root._id, content: 'edited', mentions });
    await eventually(() => expect(told(conversation_id)).toHaveLength(4));
    await ann.ok('message:send', { recipient_id: bob.id, forward_of: root._id });
    await eventually(() => expect(told(conversation_id)).toHaveLength(5));
    const messages = receiver.messagesOf(conversation_id).map(({ data }) => data.message);
    const thread = { reply_count: 1, last_reply_at: reply.created_at, user_ids: [bob.id] };
    expect(messages[1]).toEqual(reply);
    expect(reply).toMatchObject({ thread_id: root._id });
    expect(messages[2]).toMatchObject({ _id: root._id, pinned: { by: bob.id }, thread });
    expect(messages[3]).toEqual(edited);
    expect(edited).toMatchObject({ mentions, pinned: { by: bob.id }, thread });
    expect(messages[4]).toMatchObject({ content: 'edited', forwarded: { count: 1 } });
    expect(JSON.stringify(messages)).not.toMatch(/"(aside|proper_seq|has_thread|text_ids|revs|mentioned)"/);
    expect(receiver.faults).toEqual([]);
  });

  it('hears what its own node stored at once', async () => {
    await makeWebhook(server.url, name, receiver);
    const { conversation_id } = await send('warm');
    await eventually(() => expect(told(conversation_id)).toHaveLength(1));
    const took: number[] = [];
    for (let i = 0; i < 10; i++) {
      const began = performance.now();
      await send(`message ${i}`);
      await eventually(() => expect(told(conversation_id)).toHaveLength(i + 2));
      took.push(receiver.received.at(-1)!.at - began);
    }
    // Looks for what others stored come a second apart: a message that waited for one would show.
    expect(took.sort((a, b) => a - b)[3]!).toBeLessThan(500);
  });

  it('sees what a block, a removal or the end of a group keeps from users', async () => {
    await makeWebhook(server.url, name, receiver);
    const { group } = await ann.ok('group:create', { name: 'Crew', member_ids: [bob.id] });
    await send('in the group', { group_id: group._id });
    await bob.ok('contact:block', { user_id: ann.id });
    await send('across a block', { group_id: group._id });
    await ann.ok('group:remove_member', { group_id: group._id, user_id: bob.id });
    await send('alone', { group_id: group._id });
    await ann.ok('group:delete', { group_id: group._id });
    await eventually(() =>
      expect(told(group._id)).toEqual(['message.new in the group', 'message.new across a block', 'message.new alone']),
    );
    const conversation = { conversation_id: group._id, kind: 'group', group_id: group._id };
    expect(receiver.messagesOf(group._id)[0]!.data.conversation).toEqual(conversation);
  });

  it('begins with what happens from then on; a message from before is new to it when it changes', async () => {
    const old = await send('before');
    await send('before, too');
    await makeWebhook(server.url, name, receiver);
    const { conversation_id } = await send('after');
    await ann.ok('message:edit', { message_id: old._id, content: 'changed' });
    await eventually(() => expect(told(conversation_id)).toHaveLength(2));
    await ann.ok('message:edit', { message_id: old._id, content: 'changed again' });
    await eventually(() =>
      expect(told(conversation_id)).toEqual([
        'message.new after',
        'message.new changed',
        'message.updated changed again',
      ]),
    );
  });

  it('is told a message that changed before it went out as new, once', async () => {
    receiver.answer = () => 503;
    await makeWebhook(server.url, name, receiver);
    const first = await send('one');
    await eventually(() => expect(receiver.received.length).toBeGreaterThan(0));
    await send('two');
    await ann.ok('message:edit', { message_id: first._id, content: 'one, edited' });
    receiver.answer = () => 204;
    receiver.received.length = 0;
    await operator(server.url, 'PUT', `/${name}`, { url: receiver.url });
    await eventually(() => expect(told(first.conversation_id)).toEqual(['message.new two', 'message.new one, edited']));
  });

  it('is told the types that it wants, and of what is wanted later from then on', async () => {
    await makeWebhook(server.url, name, receiver, { types: ['message.updated'] });
    const { _id, conversation_id } = await send('one');
    await ann.ok('message:edit', { message_id: _id, content: 'two' });
    await eventually(() => expect(told(conversation_id)).toEqual(['message.updated two']));
    await makeWebhook(server.url, name, receiver, { types: ['call.ended'] });
    await send('unheard');
    await makeWebhook(server.url, name, receiver, { types: ['message.new'] });
    await ann.ok('message:edit', { message_id: _id, content: 'three' });
    await send('heard');
    await eventually(() => expect(told(conversation_id)).toContain('message.new heard'));
    expect(told(conversation_id)).toEqual(['message.updated two', 'message.new three', 'message.new heard']);
  });

  it('is told a conversation again from a rev, under new ids, also what was before it', async () => {
    const before = await send('before');
    await makeWebhook(server.url, name, receiver);
    const { conversation_id } = before;
    await send('one');
    await send('two');
    await eventually(() => expect(told(conversation_id)).toHaveLength(2));
    const replay = (after_rev: number, of = conversation_id, by = name) =>
      operator(server.url, 'POST', `/${by}/replay`, { conversation_id: of, after_rev });
    expect((await replay(2)).status).toBe(202);
    await eventually(() => expect(told(conversation_id)).toHaveLength(3));
    expect((await replay(0)).status).toBe(202);
    await eventually(() => expect(told(conversation_id)).toHaveLength(6));
    await send('three');
    await eventually(() => expect(told(conversation_id)).toHaveLength(7));
    expect(told(conversation_id)).toEqual(
      ['one', 'two', 'two', 'before', 'one', 'two', 'three'].map((content) => `message.new ${content}`),
    );
    expect((await replay(99)).status).toBe(202);
    expect((await replay(0, 'nowhere')).status).toBe(404);
    expect((await replay(0, conversation_id, 'nobody')).status).toBe(404);
    expect((await replay(-1)).status).toBe(400);
  });
});

describe('a receiver that fails', () => {
  it('is tried again under the same ids, after a second and then twice as long, and says so', async () => {
    const statuses = [500, 302, 429, 408];
    await makeWebhook(server.url, name, receiver);
    receiver.answer = ({ type }) => (type === 'message.new' ? (statuses.shift() ?? 200) : 200);
    const { conversation_id } = await send('one');
    await eventually(async () => {
      expect(receiver.received.length).toBeGreaterThan(1);
      expect(await webhookNamed(server.url, name)).toMatchObject({ state: 'failing', behind: 1 });
    });
    await send('two');
    await expect.poll(() => told(conversation_id), { timeout: 40_000 }).toEqual(['message.new one', 'message.new two']);
    const attempts = receiver.received.filter(({ data }) => data.message.content === 'one');
    expect(new Set(attempts.map(({ id }) => id)).size).toBe(1);
    expect(attempts).toHaveLength(5);
    const waits = attempts.slice(1).map(({ at }, i) => at - attempts[i]!.at);
    for (const [i, wait] of waits.entries()) expect(wait).toBeGreaterThan(1000 * 2 ** i - 50);
    await eventually(async () => {
      const webhook = await webhookNamed(server.url, name);
      expect(webhook).toMatchObject({ state: 'ok', behind: 0 });
      expect(webhook.last_error).toBeUndefined();
    });
  }, 60_000);

  it('holds up nobody else, and neither does a conversation that alone is refused', async () => {
    const other = await startReceiver();
    receiver.answer = ({ data }) => (data.message.content === 'refused' ? 400 : undefined);
    other.answer = ({ data }) => (data.message?.content === 'refused' ? 400 : 204);
    await makeWebhook(server.url, name, receiver);
    await makeWebhook(server.url, `${name}-other`, other);
    const refused = await send('refused');
    const elsewhere = await send('elsewhere', { recipient_id: accounts[2]!.id });
    await send('behind it');
    await eventually(() => expect(other.messagesOf(elsewhere.conversation_id)).toHaveLength(1));
    await eventually(async () => {
      expect(await webhookNamed(server.url, `${name}-other`)).toMatchObject({
        state: 'failing',
        last_error: 'answered 400',
        behind: 2,
      });
    });
    const tried = other.messagesOf(refused.conversation_id).map(({ data }) => data.message.content);
    expect(new Set(tried)).toEqual(new Set(['refused']));
    await other.close();
  });

  it('that was away is caught up, in order, when it is back', async () => {
    await makeWebhook(server.url, name, receiver);
    await receiver.away();
    const { conversation_id } = await send('message 0');
    for (let i = 1; i < 60; i++) await send(`message ${i}`);
    await eventually(async () =>
      expect(await webhookNamed(server.url, name)).toMatchObject({
        state: 'failing',
        last_error: 'no connection (ECONNREFUSED)',
        behind: 60,
      }),
    );
    await receiver.back();
    await expect.poll(() => told(conversation_id).length, { timeout: 45_000 }).toBe(60);
    expect(told(conversation_id)).toEqual(Array.from({ length: 60 }, (_, i) => `message.new message ${i}`));
    await eventually(async () =>
      expect(await webhookNamed(server.url, name)).toMatchObject({ state: 'ok', behind: 0 }),
    );
  });
});

it('a user who registers later is a conversation like any other', async () => {
  await makeWebhook(server.url, name, receiver);
  const late = await register(server.url);
  const { conversation_id } = await send('hello', { recipient_id: late.id });
  await eventually(() => expect(told(conversation_id)).toEqual(['message.new hello']));
});
