import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, connectPair, type Device, register, settle } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let ann: Device;
let bob: Device;

beforeAll(async () => {
  server = await sharedServer();
  [ann, bob] = await connectPair(server.url, server.url);
});
afterAll(() => {
  for (const device of [ann, bob]) device?.close();
});

const send = async (content = 'x') => (await ann.ok('message:send', { recipient_id: bob.id, content })).message;
const pin = async (device: Device, message_id: string, pinned = true) =>
  (await device.ok('message:pin', { message_id, pinned })).message;
const code = async (refusal: Promise<{ code: string }>) => (await refusal).code;

describe('message:pin', () => {
  it('is a change under the next rev that all are told of; either side of a pair pins and takes away', async () => {
    const message = await send();
    const pinned = await pin(bob, message._id);
    expect(pinned).toMatchObject({ rev: message.rev + 1, pinned: { by: bob.id, at: pinned.updated_at } });
    expect((await ann.next('message:updated', (news) => news.message.rev === pinned.rev)).message).toEqual(pinned);
    const taken = await pin(ann, message._id, false);
    expect(taken).not.toHaveProperty('pinned');
    expect(taken.rev).toBe(message.rev + 2);
    expect((await bob.next('message:updated', (news) => news.message.rev === taken.rev)).message).toEqual(taken);
  });

  it('is no change where it is so already', async () => {
    const message = await send();
    expect(await pin(ann, message._id, false)).toEqual(message);
    const pinned = await pin(bob, message._id);
    await settle(ann, bob);
    ann.clear();
    expect(await pin(ann, message._id)).toEqual(pinned);
    await settle(ann, bob);
    expect(ann.seen('message:updated')).toEqual([]);
  });

  it('goes with the message, and a tombstone takes none', async () => {
    const message = await send();
    await pin(bob, message._id);
    const { message: tombstone } = await ann.ok('message:delete', { message_id: message._id });
    expect(tombstone).not.toHaveProperty('pinned');
    expect(await code(bob.refused('message:pin', { message_id: message._id, pinned: true }))).toBe('conflict');
    const { messages } = await ann.ok('message:pinned', { recipient_id: bob.id });
    expect(messages.map(({ _id }) => _id)).not.toContain(message._id);
  });

  it('stays through edits and reactions, and is in history and sync', async () => {
    const message = await send();
    const { pinned } = await pin(bob, message._id);
    await ann.ok('message:edit', { message_id: message._id, content: 'y' });
    const { message: reacted } = await bob.ok('message:react', { message_id: message._id, emoji: '👍' });
    expect(reacted.pinned).toEqual(pinned);
    const { messages } = await ann.ok('message:history', { recipient_id: bob.id, limit: 1 });
    expect(messages[0]!.pinned).toEqual(pinned);
  });

  it('is not found by others, and forbidden under a block', async () => {
    const message = await send();
    const eve = await connect(server.url, await register(server.url));
    expect(await code(eve.refused('message:pin', { message_id: message._id, pinned: true }))).toBe('not_found');
    expect(await code(eve.refused('message:pinned', { group_id: 'f'.repeat(24) }))).toBe('not_found');
    await eve.ok('message:send', { recipient_id: ann.id, content: 'x' });
    const { message: hers } = await eve.ok('message:send', { recipient_id: ann.id, content: 'x' });
    await ann.ok('contact:block', { user_id: eve.id });
    expect(await code(eve.refused('message:pin', { message_id: hers._id, pinned: true }))).toBe('forbidden');
    eve.close();
  });

  it('is for the admins of a group by default, and for members where they may', async () => {
    const { group } = await ann.ok('group:create', { name: 'Crew', member_ids: [bob.id] });
    const { message } = await ann.ok('message:send', { group_id: group._id, content: 'x' });
    const payload = { message_id: message._id, pinned: true };
    expect(await code(bob.refused('message:pin', payload))).toBe('forbidden');
    await pin(ann, message._id);
    expect(await code(bob.refused('message:pin', { ...payload, pinned: false }))).toBe('forbidden');
    await ann.ok('group:update', { group_id: group._id, permissions: { pin: 'member' } });
    expect(await pin(bob, message._id, false)).not.toHaveProperty('pinned');
  });
});

describe('message:pinned', () => {
  it('lists the newest pin first, in pages, and to a later member only what is visible', async () => {
    const { group } = await ann.ok('group:create', { name: 'Crew', member_ids: [bob.id] });
    const target = { group_id: group._id };
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push((await ann.ok('message:send', { ...target, content: `${i}` })).message._id);
    const order = [2, 0, 4, 1].map((i) => ids[i]!);
    for (const id of order) await pin(ann, id);
    await pin(ann, order[0]!, false);
    await pin(ann, order[0]!);
    const expected = [order[0], order[3], order[2], order[1]];
    const first = await bob.ok('message:pinned', { ...target, limit: 3 });
    expect(first.messages.map(({ _id }) => _id)).toEqual(expected.slice(0, 3));
    expect(first.has_more).toBe(true);
    const second = await bob.ok('message:pinned', { ...target, before_id: expected[2]! });
    expect(second.messages.map(({ _id }) => _id)).toEqual(expected.slice(3));
    expect(second.has_more).toBe(false);
    expect(await code(bob.refused('message:pinned', { ...target, before_id: ids[3] }))).toBe('not_found');

    const late = await connect(server.url, await register(server.url));
    await ann.ok('group:add_members', { ...target, user_ids: [late.id] });
    expect((await late.ok('message:pinned', target)).messages).toEqual([]);
    const { message } = await ann.ok('message:send', { ...target, content: 'later' });
    await pin(ann, message._id);
    expect((await late.ok('message:pinned', target)).messages.map(({ _id }) => _id)).toEqual([message._id]);
    late.close();
  });
});
