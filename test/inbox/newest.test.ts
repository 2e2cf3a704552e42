/** `sync` with `newest`: a client that is new somewhere gets the end of each conversation, and the rest by history. */
import { beforeAll, expect, test } from 'vitest';
import type { CommandData } from '../../shared/contract/index.ts';
import { type Account, connect, type Device, register, registerMany } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});

const to = (account: Account) => ({ recipient_id: account.id });
type Listed = CommandData<'sync'>['conversations'][number];

async function device(): Promise<Device> {
  return connect(server.url, await register(server.url));
}

const texts = ({ messages }: Pick<Listed, 'messages'>) => messages.map(({ content }) => content);

/** Sends messages named 1, 2, 3 … Resolves with their ids. */
async function send(from: Device, recipient: Account, count: number): Promise<string[]> {
  const sent: string[] = [];
  for (let i = 1; i <= count; i++) {
    const { message } = await from.ok('message:send', { ...to(recipient), content: `${i}` });
    sent.push(message._id);
  }
  return sent;
}

test('a conversation that was not named comes with its newest messages and is complete with them', async () => {
  const [a, b] = [await device(), await device()];
  const [first, second, , fourth] = await send(a, b.account, 5);
  await a.ok('message:edit', { message_id: fourth!, content: '4 edited' });
  await a.ok('message:edit', { message_id: first!, content: '1 edited' });
  const { conversations, has_more, cursor } = await b.ok('sync', { newest: 2 });
  expect({ has_more, cursor }).toEqual({ has_more: false, cursor: undefined });
  const [{ conversation, messages, has_more: more }] = conversations as [Listed];
  // The newest by seq, ascending by rev.
  expect(messages.map(({ content, seq, rev }) => [content, seq, rev])).toEqual([
    ['5', 5, 5],
    ['4 edited', 4, 6],
  ]);
  expect(more).toBe(false);
  expect(conversation).toMatchObject({ rev: 7, last_seq: 5, unread_count: 5 });
  const older = await b.ok('message:history', { ...to(a.account), before_seq: 4 });
  expect(texts(older)).toEqual(['1 edited', '2', '3']);

  // From its rev on, older messages come when they change, like all.
  await a.ok('message:edit', { message_id: second!, content: '2 edited' });
  const named = { [conversation.conversation_id]: conversation.rev };
  const later = await b.ok('sync', { conversations: named, newest: 2 });
  expect(later.conversations.map(texts)).toEqual([['2 edited']]);
});

test('a conversation that was named comes with everything above its rev, however much that is', async () => {
  const [a, b, c] = [await device(), await device(), await device()];
  await send(a, c.account, 6);
  await send(b, c.account, 6);
  const { conversations } = await c.ok('sync', { newest: 1 });
  const ofA = conversations.find(({ conversation }) => conversation.peer!._id === a.id)!.conversation.conversation_id;
  for (const [rev, expected] of [
    [0, ['1', '2', '3', '4', '5', '6']],
    [2, ['3', '4', '5', '6']],
  ] as const) {
    const answer = await c.ok('sync', { conversations: { [ofA]: rev }, newest: 1 });
    const byPeer = new Map(answer.conversations.map((one) => [one.conversation.peer!._id, texts(one)]));
    expect(byPeer.get(a.id)).toEqual(expected);
    expect(byPeer.get(b.id)).toEqual(['6']);
  }
});

test('conversations are not cut, and those for which there is no room come by the cursor', async () => {
  const reader = await device();
  const writers = await Promise.all((await registerMany(server.url, 5)).map((one) => connect(server.url, one)));
  for (const writer of writers) await send(writer, reader.account, 4);
  const completed: string[][] = [];
  let cursor: string | undefined;
  do {
    // The revs are left out: what is complete is known by the cursor.
    const answer = await reader.ok('sync', { newest: 3, limit: 7, ...(cursor ? { cursor } : {}) });
    completed.push(...answer.conversations.filter((one) => !one.has_more).map(texts));
    expect(answer.conversations.filter((one) => one.has_more).flatMap(texts)).toEqual([]);
    cursor = answer.cursor;
  } while (cursor);
  expect(completed).toEqual(Array.from({ length: 5 }, () => ['2', '3', '4']));
});

test('messages too large for one answer are left to history, the newest are given', async () => {
  const [a, b] = [await device(), await device()];
  const content = 'x'.repeat(16 * 1024);
  for (let i = 0; i < 60; i += 20) {
    await Promise.all(Array.from({ length: 20 }, () => a.ok('message:send', { ...to(b.account), content })));
  }
  const { conversations, has_more } = await b.ok('sync', { newest: 60 });
  expect(has_more).toBe(false);
  const seqs = conversations[0]!.messages.map(({ seq }) => seq);
  expect(seqs.length).toBeGreaterThan(20);
  expect(seqs.length).toBeLessThan(60);
  expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, i) => 61 - seqs.length + i));
});

test('a member who joined later gets the newest of what is visible', async () => {
  const [a, b] = [await device(), await device()];
  const { group } = await a.ok('group:create', { name: 'G', member_ids: [] });
  const target = { group_id: group._id };
  await a.ok('message:send', { ...target, content: 'hidden' });
  await a.ok('group:add_members', { ...target, user_ids: [b.id] });
  expect((await b.ok('sync', { newest: 5 })).conversations).toMatchObject([
    { messages: [], has_more: false, conversation: { rev: 1 } },
  ]);
  for (const content of ['one', 'two']) await a.ok('message:send', { ...target, content });
  expect((await b.ok('sync', { newest: 5 })).conversations.map(texts)).toEqual([['one', 'two']]);
});

test('more than 200, more than the limit, and foreign cursors are refused', async () => {
  const a = await device();
  for (const payload of [
    { newest: 0 },
    { newest: 201 },
    { newest: 21, limit: 20 },
    { newest: '5' },
    { cursor: '' },
    { cursor: 5 },
    { cursor: 'x' },
    { cursor: Buffer.from('{"t":"now"}').toString('base64url') },
    { cursor: Buffer.from('{"t":1e300}').toString('base64url') },
    { cursor: Buffer.from('{"t":1,"n":201}').toString('base64url') },
    { cursor: Buffer.from('null').toString('base64url') },
    { cursor: 'x'.repeat(1001) },
  ]) {
    expect([payload, (await a.refused('sync', payload)).code]).toEqual([payload, 'validation_failed']);
  }
  await a.ok('sync', { newest: 200 });
  await a.ok('sync', { newest: 20, limit: 20 });
});
