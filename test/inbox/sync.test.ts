import { beforeAll, expect, test } from 'vitest';
import type { CommandData } from '../../shared/contract/index.ts';
import {
  type Account,
  CLOCKS_MS,
  connect,
  type Device,
  http,
  register,
  registerMany,
  settle,
} from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});

const to = (account: Account) => ({ recipient_id: account.id });
type Synced = CommandData<'sync'>;
type Listed = Synced['conversations'][number];

async function device(): Promise<Device> {
  return connect(server.url, await register(server.url));
}

const ids = ({ conversations }: Synced) => conversations.map(({ conversation }) => conversation.conversation_id);
const texts = ({ messages }: Pick<Listed, 'messages'>) => messages.map((message) => message.content);

test('a new account has nothing to sync', async () => {
  const a = await device();
  const before = Date.now();
  const answer = await a.ok('sync', {});
  expect(answer).toMatchObject({ conversations: [], gone: [], has_more: false, calls: [] });
  expect(Date.parse(answer.server_time)).toBeGreaterThanOrEqual(before - CLOCKS_MS);
  expect(Date.parse(answer.server_time)).toBeLessThanOrEqual(Date.now() + CLOCKS_MS);
});

test('without since, every conversation is listed, and without a rev, all its messages', async () => {
  const a = await device();
  const [b, c] = (await registerMany(server.url, 2)) as [Account, Account];
  await a.ok('message:send', { ...to(b), content: 'one' });
  await a.ok('message:send', { ...to(b), content: 'two' });
  const { message } = await a.ok('message:send', { ...to(c), content: 'three' });
  const { group } = await a.ok('group:create', { name: 'Empty', member_ids: [] });
  const first = await a.ok('sync', {});
  expect(first.conversations.map((one) => [texts(one), one.has_more])).toEqual([
    [[], false],
    [['three'], false],
    [['one', 'two'], false],
  ]);
  const again = await a.ok('sync', { conversations: { [message.conversation_id]: 1 } });
  expect(ids(again)).toEqual(ids(first));
  expect(again.conversations.map(texts)).toEqual([[], [], ['one', 'two']]);
  expect(again.conversations[0]?.conversation).toMatchObject({ conversation_id: group._id, rev: 0, last_seq: 0 });
});

test('every message above the rev is given, ascending by rev: new ones, edits, reactions and tombstones', async () => {
  const a = await device();
  const b = await device();
  const sent = [];
  for (const content of ['one', 'two', 'three', 'four']) {
    sent.push((await a.ok('message:send', { ...to(b.account), content })).message);
  }
  const id = sent[0]!.conversation_id;
  const { server_time } = await b.ok('sync', {});
  await a.ok('message:edit', { message_id: sent[2]!._id, content: 'edited' });
  await b.ok('message:react', { message_id: sent[3]!._id, emoji: '👍' });
  await a.ok('message:delete', { message_id: sent[0]!._id });
  await a.ok('message:send', { ...to(b.account), content: 'five' });
  await a.ok('message:edit', { message_id: sent[2]!._id, content: 'edited again' });
  const { conversations } = await b.ok('sync', { conversations: { [id]: 4 }, since: server_time });
  expect(conversations).toHaveLength(1);
  expect(conversations[0]!.messages.map(({ seq, rev }) => [seq, rev])).toEqual([
    [4, 6],
    [1, 7],
    [5, 8],
    [3, 9],
  ]);
  expect(texts(conversations[0]!)).toEqual(['four', '', 'five', 'edited again']);
  expect(conversations[0]!.conversation).toMatchObject({ rev: 9, last_seq: 5, unread_count: 4 });
});

test('a limit out of range and malformed revs and times are refused', async () => {
  const a = await device();
  for (const payload of [
    { limit: 1001 },
    { limit: 0 },
    { since: 'yesterday' },
    { conversations: { x: -1 } },
    { conversations: { x: '1' } },
    { conversations: [] },
    { revs: {} },
  ]) {
    expect((await a.refused('sync', payload)).code).toBe('validation_failed');
  }
});

test('with since, only conversations that changed are listed: by messages, marks, settings, the group or the peer', async () => {
  const a = await device();
  const accounts = await registerMany(server.url, 6);
  const others = await Promise.all(accounts.map((account) => connect(server.url, account)));
  const [b, c, d, e, f, g] = others as [Device, Device, Device, Device, Device, Device];
  const pairs = new Map<string, string>();
  for (const other of others) {
    const { message } = await a.ok('message:send', { ...to(other.account), content: 'hello' });
    pairs.set(other.id, message.conversation_id);
  }
  const { group } = await a.ok('group:create', { name: 'G', member_ids: [b.id] });
  const { server_time } = await a.ok('sync', {});
  expect((await a.ok('sync', { since: server_time })).conversations).toEqual([]);
  await b.ok('message:send', { ...to(a.account), content: 'answer' });
  await c.ok('message:read', { ...to(a.account), up_to_seq: 1 });
  await a.ok('conversation:update', { ...to(d.account), pinned: true });
  // The peer's own settings change nothing for the caller.
  await e.ok('conversation:update', { ...to(a.account), pinned: true });
  await http(server.url, 'PATCH', '/users/me', { token: f.account.access_token, body: { bio: 'new' } });
  await a.ok('group:update', { group_id: group._id, name: 'Renamed' });
  const answer = await a.ok('sync', { since: server_time });
  const expected = [pairs.get(b.id), pairs.get(c.id), pairs.get(d.id), pairs.get(f.id), group._id];
  expect(ids(answer).sort()).toEqual(expected.sort());
  // A conversation that was not named counts from rev 0.
  const withB = answer.conversations.find((one) => one.conversation.conversation_id === pairs.get(b.id))!;
  expect(texts(withB)).toEqual(['hello', 'answer']);
  // One that was named below its rev is listed however old the change is.
  const named = { [pairs.get(g.id)!]: 0 };
  const later = await a.ok('sync', { since: answer.server_time, conversations: named });
  expect(ids(later)).toEqual([pairs.get(g.id)]);
  expect(texts(later.conversations[0]!)).toEqual(['hello']);
});

test('the server_time of session:ready serves as since', async () => {
  const [a, b] = [await device(), await device()];
  await a.ok('message:send', { ...to(b.account), content: 'before' });
  const b2 = await connect(server.url, b.account);
  const { server_time } = await b2.next('session:ready');
  expect((await b2.ok('sync', { since: server_time })).conversations).toEqual([]);
  await a.ok('message:send', { ...to(b.account), content: 'after' });
  expect((await b2.ok('sync', { since: server_time })).conversations).toHaveLength(1);
});

test('gone names what the caller is not in: groups left, removed from, deleted, foreign or unknown', async () => {
  const [a, b, c] = [await device(), await device(), await device()];
  const make = async (name: string) => (await a.ok('group:create', { name, member_ids: [b.id] })).group._id;
  const [left, removed, deleted, kept] = [await make('1'), await make('2'), await make('3'), await make('4')];
  const { group: foreign } = await c.ok('group:create', { name: 'F', member_ids: [] });
  const { message } = await a.ok('message:send', { ...to(c.account), content: 'not for b' });
  await b.ok('group:leave', { group_id: left });
  await a.ok('group:remove_member', { group_id: removed, user_id: b.id });
  await a.ok('group:delete', { group_id: deleted });
  const unknown = ['f'.repeat(24), 'whatever', `${a.id}-${b.id}`];
  const named = [left, removed, deleted, kept, foreign._id, message.conversation_id, ...unknown];
  const answer = await b.ok('sync', { conversations: Object.fromEntries(named.map((id) => [id, 0])) });
  expect(answer.gone.sort()).toEqual(named.filter((id) => id !== kept).sort());
  expect(ids(answer)).toEqual([kept]);
});

test('a member who joined later gets nothing from before and is in sync at the group’s rev', async () => {
  const [a, b] = [await device(), await device()];
  const { group } = await a.ok('group:create', { name: 'G', member_ids: [] });
  const target = { group_id: group._id };
  const { message: early } = await a.ok('message:send', { ...target, content: 'before' });
  for (let i = 0; i < 5; i++) await a.ok('message:edit', { message_id: early._id, content: `edit ${i}` });
  await a.ok('group:add_members', { ...target, user_ids: [b.id] });
  const joined = await b.ok('sync', {});
  expect(joined.conversations).toMatchObject([
    { messages: [], has_more: false, conversation: { rev: 6, last_message: null, unread_count: 0 } },
  ]);
  await a.ok('message:send', { ...target, content: 'after' });
  await a.ok('message:edit', { message_id: early._id, content: 'still hidden' });
  for (const conversations of [{}, { [group._id]: 6 }]) {
    const answer = await b.ok('sync', { conversations });
    expect(answer.conversations.map(texts)).toEqual([['after']]);
    expect(answer.conversations[0]?.conversation.rev).toBe(8);
  }
  // A member who comes back sees only what follows.
  await b.ok('group:leave', target);
  await a.ok('message:send', { ...target, content: 'while away' });
  await a.ok('group:add_members', { ...target, user_ids: [b.id] });
  await a.ok('message:send', { ...target, content: 'back' });
  expect((await b.ok('sync', {})).conversations.map(texts)).toEqual([['back']]);
});

test('calls are given until they are over', async () => {
  const [a, b] = [await device(), await device()];
  const { call } = await a.ok('call:initiate', { ...to(b.account), call_type: 'voice' });
  expect((await b.ok('sync', {})).calls).toMatchObject([{ _id: call._id, status: 'initiated' }]);
  await a.ok('call:end', { call_id: call._id });
  await settle(a, b);
  expect((await b.ok('sync', {})).calls).toEqual([]);
});
