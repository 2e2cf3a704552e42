import { beforeAll, describe, expect, it } from 'vitest';
import { connect, connectPair, type Device, register, settle } from '../support/client.ts';
import { sharedServer } from '../support/server.ts';

let url: string;
let ann: Device;
let annLaptop: Device;
let bob: Device;

beforeAll(async () => {
  ({ url } = await sharedServer());
  [ann, bob] = await connectPair(url, url);
  annLaptop = await connect(url, ann.account);
});

const put = async (draft: string | null) =>
  (await ann.ok('conversation:update', { recipient_id: bob.id, draft })).conversation;

describe('a draft', () => {
  it('is the caller’s alone, on all devices, and lists the conversation in sync but does not move it', async () => {
    await ann.ok('message:send', { recipient_id: bob.id, content: 'x' });
    const { server_time } = await ann.ok('sync');
    const before = (await ann.ok('conversation:list')).conversations[0]!;
    const changed = await put('a beginning');
    expect(changed.draft).toEqual({ content: 'a beginning', updated_at: expect.any(String) });
    expect(changed.updated_at).toBe(before.updated_at);
    const told = await annLaptop.next('conversation:updated', ({ conversation }) => conversation.draft !== undefined);
    expect(told.conversation).toEqual(changed);
    expect((await ann.ok('conversation:list')).conversations[0]).toEqual(changed);
    const { conversations } = await annLaptop.ok('sync', { since: server_time });
    expect(conversations.map(({ conversation }) => conversation.draft)).toEqual([changed.draft]);
    await settle(ann, bob);
    expect(bob.seen('conversation:updated')).toEqual([]);
    expect((await bob.ok('conversation:list')).conversations[0]).not.toHaveProperty('draft');
  });

  it('stays when something is sent, and through other settings', async () => {
    const { draft } = await put('a beginning');
    await ann.ok('message:send', { recipient_id: bob.id, content: 'x' });
    const { conversation } = await ann.ok('conversation:update', { recipient_id: bob.id, pinned: true });
    expect(conversation.draft).toEqual(draft);
  });

  it.each([null, ''])('is taken away by %j', async (nothing) => {
    await put('a beginning');
    expect(await put(nothing)).not.toHaveProperty('draft');
    expect((await ann.ok('conversation:list')).conversations[0]).not.toHaveProperty('draft');
    expect(await put(nothing)).not.toHaveProperty('draft');
  });

  it('has at most 16 KiB', async () => {
    expect((await put('é'.repeat(8192))).draft!.content).toHaveLength(8192);
    const { code, details } = await ann.refused('conversation:update', {
      recipient_id: bob.id,
      draft: 'é'.repeat(8193),
    });
    expect([code, (details as { path: string }[])[0]!.path]).toEqual(['validation_failed', 'draft']);
  });

  it('is not found where nothing was ever written', async () => {
    const eve = await register(url);
    const refusal = await ann.refused('conversation:update', { recipient_id: eve.user._id, draft: 'x' });
    expect(refusal.code).toBe('not_found');
  });
});
