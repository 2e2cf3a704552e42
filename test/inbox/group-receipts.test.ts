import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GroupMessage } from '../../shared/contract/documents.ts';
import { type Account, connect, type Device, http, registerMany, settle } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

/** A group of connected members; the first one made it. */
async function crew(size: number): Promise<{ devices: Device[]; group: { group_id: string } }> {
  const accounts = await registerMany(server.url, size);
  const devices = await Promise.all(accounts.map((account) => connect(server.url, account)));
  const { group } = await devices[0]!.ok('group:create', {
    name: 'Crew',
    member_ids: accounts.slice(1).map((account) => account.id),
  });
  return { devices, group: { group_id: group._id } };
}

async function readers(viewer: Device, group: { group_id: string }): Promise<string[][]> {
  const { messages } = await viewer.ok('message:history', group);
  return (messages as GroupMessage[]).map((message) => message.read_by);
}

async function hideReceipts(account: Account): Promise<void> {
  await http(server.url, 'PATCH', '/users/me', {
    token: account.access_token,
    body: { settings: { read_receipts_enabled: false } },
  });
}

async function marks(viewer: Device, user: Device) {
  const { conversations } = await viewer.ok('conversation:list');
  return conversations[0]?.receipts.find((receipt) => receipt.user_id === user.id);
}

test('read_by collects the readers of what others sent, and the senders in the range are told', async () => {
  const { devices, group } = await crew(4);
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
  expect(await readers(d, group)).toEqual([[c.id, b.id], [c.id]]);
  await settle(...devices);
  expect([...c.seen('message:status'), ...d.seen('message:status')]).toEqual([]);
  // Of b's reading only the sender of the other message hears.
  expect(a.seen('message:status', (status) => status.user_id === b.id)).toHaveLength(1);
});

test('where nothing was written: not_found; a stranger and a removed member: not_found', async () => {
  const { devices, group } = await crew(3);
  const [a, b] = devices as [Device, Device, Device];
  expect((await a.refused('message:read', { ...group, up_to_seq: 0 })).code).toBe('not_found');
  await a.ok('message:send', { ...group, content: 'one' });
  await a.ok('group:remove_member', { ...group, user_id: b.id });
  for (const name of ['message:read', 'message:delivered']) {
    expect((await b.refused(name, { ...group, up_to_seq: 1 })).code).toBe('not_found');
  }
  expect(await readers(a, group)).toEqual([[]]);
});

test('a reader with receipts switched off stays out of read_by and shows no reading', async () => {
  const { devices, group } = await crew(3);
  const [a, b, c] = devices as [Device, Device, Device];
  await hideReceipts(b.account);
  await a.ok('message:send', { ...group, content: 'one' });
  expect(await b.ok('message:read', { ...group, up_to_seq: 1 })).toEqual({ unread_count: 0 });
  expect(await a.next('message:status')).toMatchObject({ user_id: b.id, delivered_seq: 1, read_seq: 0 });
  expect(await readers(a, group)).toEqual([[]]);
  expect(await marks(c, b)).toMatchObject({ read_seq: 0 });
  expect(await marks(b, b)).toMatchObject({ read_seq: 1 });
});

test('a reader who switches receipts off leaves the mark that others see where it was', async () => {
  const { devices, group } = await crew(3);
  const [a, b] = devices as [Device, Device, Device];
  const told = async () => {
    await settle(a);
    return a.seen('message:status').map(({ delivered_seq, read_seq }) => [delivered_seq, read_seq]);
  };
  await a.ok('message:send', { ...group, content: 'one' });
  await b.ok('message:read', { ...group, up_to_seq: 1 });
  await hideReceipts(b.account);
  await a.ok('message:send', { ...group, content: 'two' });
  await b.ok('message:read', { ...group, up_to_seq: 2 });
  await a.ok('message:send', { ...group, content: 'three' });
  await b.ok('message:delivered', { ...group, up_to_seq: 3 });
  expect(await told()).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
  ]);
  expect(await marks(a, b)).toMatchObject({ delivered_seq: 3, read_seq: 1 });
});

test('a sender with receipts switched off learns of no reading; other senders do', async () => {
  const { devices, group } = await crew(3);
  const [a, b, c] = devices as [Device, Device, Device];
  await hideReceipts(a.account);
  await a.ok('message:send', { ...group, content: 'hidden from its sender' });
  await b.ok('message:send', { ...group, content: 'shown' });
  await c.ok('message:read', { ...group, up_to_seq: 2 });
  expect(await a.next('message:status')).toMatchObject({ delivered_seq: 2, read_seq: 0 });
  expect(await b.next('message:status')).toMatchObject({ delivered_seq: 2, read_seq: 2 });
  expect(await readers(c, group)).toEqual([[], [c.id]]);
  expect(await marks(a, c)).toMatchObject({ delivered_seq: 2, read_seq: 0 });
  expect(await marks(b, c)).toMatchObject({ delivered_seq: 2, read_seq: 2 });
});

test('who joins later has nothing unread and no marks below the joining', async () => {
  const { devices, group } = await crew(2);
  const [a] = devices as [Device, Device];
  const [late] = await registerMany(server.url, 1);
  const l = await connect(server.url, late!);
  await a.ok('message:send', { ...group, content: 'before' });
  await a.ok('group:add_members', { ...group, user_ids: [late!.id] });
  expect((await l.ok('conversation:list')).conversations[0]).toMatchObject({ unread_count: 0, last_message: null });
  expect(await l.ok('message:read', { ...group, up_to_seq: 1 })).toEqual({ unread_count: 0 });
  await settle(a);
  expect(a.seen('message:status')).toEqual([]);
  expect(await readers(a, group)).toEqual([[]]);
  await a.ok('message:send', { ...group, content: 'after' });
  expect((await l.ok('conversation:list')).conversations[0]).toMatchObject({ unread_count: 1 });
  await l.ok('message:read', { ...group, up_to_seq: 2 });
  expect(await readers(a, group)).toEqual([[], [late!.id]]);
});

test('a sender who is no longer in the group is told nothing', async () => {
  const { devices, group } = await crew(3);
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

test('between two of a group who block each other receipts go on', async () => {
  const { devices, group } = await crew(2);
  const [a, b] = devices as [Device, Device];
  await a.ok('contact:block', { user_id: b.id });
  await a.ok('message:send', { ...group, content: 'one' });
  await b.ok('message:read', { ...group, up_to_seq: 1 });
  expect(await a.next('message:status')).toMatchObject({ user_id: b.id, read_seq: 1 });
});

test('all members read at once: every reader is in read_by, once', async () => {
  const { devices, group } = await crew(6);
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
  expect((await readers(a, group)).map((ids) => [...ids].sort())).toEqual([expected, expected]);
});
