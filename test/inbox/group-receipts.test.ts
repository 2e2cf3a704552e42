import { beforeAll, expect, test } from 'vitest';
import { connect, type Device, registerMany, settle } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';
import { connectGroup, readersSeenBy } from './receipt-scenes.ts';

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});

test('read_by collects the readers of each message, and the senders in the range are told', async () => {
  const { devices, group } = await connectGroup(server.url, 4);
  const [a, b, c, d] = devices as [Device, Device, Device, Device];
  await a.ok('message:send', { ...group, content: 'one' });
  await b.ok('message:send', { ...group, content: 'two' });
  expect(await c.ok('message:read', { ...group, up_to_seq: 2 })).toEqual({ unread_count: 0 });
  for (const sender of [a, b]) {
    expect(await sender.next('message:status')).toMatchObject({
      conversation_id: group.group_id,
      user_id: c.id,
      delivered_seq: 2,
      read_seq: 2,
    });
  }
  await b.ok('message:read', { ...group, up_to_seq: 2 });
  expect(await readersSeenBy(d, group)).toEqual([[c.id, b.id], [c.id]]);
  await settle(...devices);
  expect([...c.seen('message:status'), ...d.seen('message:status')]).toEqual([]);
  // Only the sender of the other message is told that b read.
  expect(a.seen('message:status', (status) => status.user_id === b.id)).toHaveLength(1);
});

test('an empty group and a removed member get not_found', async () => {
  const { devices, group } = await connectGroup(server.url, 3);
  const [a, b] = devices as [Device, Device, Device];
  expect((await a.refused('message:read', { ...group, up_to_seq: 0 })).code).toBe('not_found');
  await a.ok('message:send', { ...group, content: 'one' });
  await a.ok('group:remove_member', { ...group, user_id: b.id });
  for (const name of ['message:read', 'message:delivered']) {
    expect((await b.refused(name, { ...group, up_to_seq: 1 })).code).toBe('not_found');
  }
  expect(await readersSeenBy(a, group)).toEqual([[]]);
});

test('a member who joins late has nothing unread and no marks from before joining', async () => {
  const { devices, group } = await connectGroup(server.url, 2);
  const [a] = devices as [Device, Device];
  const [late] = await registerMany(server.url, 1);
  const l = await connect(server.url, late!);
  await a.ok('message:send', { ...group, content: 'before' });
  await a.ok('group:add_members', { ...group, user_ids: [late!.id] });
  expect((await l.ok('conversation:list')).conversations[0]).toMatchObject({ unread_count: 0, last_message: null });
  expect(await l.ok('message:read', { ...group, up_to_seq: 1 })).toEqual({ unread_count: 0 });
  await settle(a);
  expect(a.seen('message:status')).toEqual([]);
  expect(await readersSeenBy(a, group)).toEqual([[]]);
  await a.ok('message:send', { ...group, content: 'after' });
  expect((await l.ok('conversation:list')).conversations[0]).toMatchObject({ unread_count: 1 });
  await l.ok('message:read', { ...group, up_to_seq: 2 });
  expect(await readersSeenBy(a, group)).toEqual([[], [late!.id]]);
});

test('a sender who has left the group is told nothing', async () => {
  const { devices, group } = await connectGroup(server.url, 3);
  const [a, b, c] = devices as [Device, Device, Device];
  await b.ok('message:send', { ...group, content: 'one' });
  await b.ok('group:leave', group);
  b.clear();
  await c.ok('message:read', { ...group, up_to_seq: 1 });
  await settle(a, b);
  expect(b.seen('message:status')).toEqual([]);
  expect((await a.ok('conversation:list')).conversations[0]?.receipts.map((one) => one.user_id).sort()).toEqual(
    [a.id, c.id].sort(),
  );
});

test('when all members read at once, read_by names every reader once', async () => {
  const { devices, group } = await connectGroup(server.url, 6);
  const [a, ...others] = devices as [Device, ...Device[]];
  await a.ok('message:send', { ...group, content: 'one' });
  await a.ok('message:send', { ...group, content: 'two' });
  await Promise.all(
    others.flatMap((device) => [
      device.ok('message:read', { ...group, up_to_seq: 2 }),
      device.ok('message:read', { ...group, up_to_seq: 1 }),
    ]),
  );
  const expected = others.map((device) => device.id).sort();
  expect((await readersSeenBy(a, group)).map((ids) => [...ids].sort())).toEqual([expected, expected]);
});
