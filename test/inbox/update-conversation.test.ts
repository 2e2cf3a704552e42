import { beforeAll, expect, test } from 'vitest';
import { type Account, connect, type Device, register, settle } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});

const to = (account: Account) => ({ recipient_id: account.id });

async function device(): Promise<Device> {
  return connect(server.url, await register(server.url));
}

test('sets and clears the caller’s own settings and tells only the caller’s other devices', async () => {
  const [a, b] = [await device(), await device()];
  const a2 = await connect(server.url, a.account);
  await a.ok('message:send', { ...to(b.account), content: 'hello' });
  await b.next('message:new');
  b.clear();
  const muted_until = '2030-01-01T00:00:00.000Z';
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

test('works in a group in which nothing was written', async () => {
  const a = await device();
  const { group } = await a.ok('group:create', { name: 'Quiet', member_ids: [] });
  const { conversation } = await a.ok('conversation:update', { group_id: group._id, archived: true });
  expect(conversation).toMatchObject({ kind: 'group', archived: true, last_message: null, last_seq: 0 });
});

test('answers not_found in an empty pair, for unknown users and for foreign groups', async () => {
  const [a, b] = [await device(), await device()];
  const { group } = await b.ok('group:create', { name: 'Foreign', member_ids: [] });
  for (const target of [to(b.account), { recipient_id: 'f'.repeat(24) }, { group_id: group._id }]) {
    expect((await a.refused('conversation:update', { ...target, pinned: true })).code).toBe('not_found');
  }
});

test('refuses a malformed payload', async () => {
  const [a, b] = [await device(), await device()];
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

test('keeps both of two settings that are changed at once', async () => {
  const [a, b] = [await device(), await device()];
  const a2 = await connect(server.url, a.account);
  await a.ok('message:send', { ...to(b.account), content: 'hello' });
  await Promise.all([
    a.ok('conversation:update', { ...to(b.account), pinned: true }),
    a2.ok('conversation:update', { ...to(b.account), archived: true }),
  ]);
  expect((await a.ok('conversation:list')).conversations[0]).toMatchObject({ pinned: true, archived: true });
});
