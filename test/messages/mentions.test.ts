import { beforeAll, describe, expect, it } from 'vitest';
import { connect, type Device, registerMany, settle } from '../support/client.ts';
import { sharedServer } from '../support/server.ts';

let ann: Device;
let bob: Device;
let eve: Device;
let late: Device;

beforeAll(async () => {
  const { url } = await sharedServer();
  const accounts = await registerMany(url, 4);
  [ann, bob, eve, late] = (await Promise.all(accounts.map((account) => connect(url, account)))) as [
    Device,
    Device,
    Device,
    Device,
  ];
});

async function makeGroup(): Promise<{ group_id: string }> {
  const { group } = await ann.ok('group:create', { name: 'Crew', member_ids: [bob.id, eve.id] });
  return { group_id: group._id };
}

async function countOf(device: Device, id: string): Promise<number | undefined> {
  const { conversations } = await device.ok('conversation:list');
  return conversations.find(({ conversation_id }) => conversation_id === id)?.mention_count;
}

const idsOf = async (device: Device, more: object = {}) =>
  (await device.ok('message:mentions', more)).messages.map(({ _id }) => _id);

describe('mentions', () => {
  it('are on the message, and counted until they are read, edited away or deleted', async () => {
    const target = await makeGroup();
    const mentions = { user_ids: [bob.id] };
    const { message: one } = await ann.ok('message:send', { ...target, content: '1', mentions });
    expect(one.mentions).toEqual(mentions);
    expect((await bob.next('message:new', (news) => news.message._id === one._id)).message.mentions).toEqual(mentions);
    const { message: two } = await ann.ok('message:send', { ...target, content: '2', mentions: { everyone: true } });
    const { message: three } = await eve.ok('message:send', {
      ...target,
      content: '3',
      mentions: { user_ids: [ann.id, bob.id], everyone: true },
    });
    expect([await countOf(ann, target.group_id), await countOf(bob, target.group_id)]).toEqual([1, 3]);
    expect(await countOf(eve, target.group_id)).toBe(1);
    expect(await idsOf(bob)).toEqual([three._id, two._id, one._id]);

    await bob.ok('message:read', { ...target, up_to_seq: one.seq });
    expect(await countOf(bob, target.group_id)).toBe(2);
    const { message: edited } = await ann.ok('message:edit', { message_id: two._id, content: '2', mentions: {} });
    expect(edited).not.toHaveProperty('mentions');
    expect(edited.rev).toBe(three.rev + 1);
    expect(await countOf(bob, target.group_id)).toBe(1);
    const { message: tombstone } = await eve.ok('message:delete', { message_id: three._id });
    expect(tombstone).not.toHaveProperty('mentions');
    expect(await countOf(bob, target.group_id)).toBe(0);
    expect(await idsOf(bob)).toEqual([one._id]);
  });

  it('stay through an edit without the field; one that names the same is no change', async () => {
    const { message } = await ann.ok('message:send', {
      recipient_id: bob.id,
      content: 'x',
      mentions: { user_ids: [bob.id] },
    });
    const { message_id } = { message_id: message._id };
    const { message: edited } = await ann.ok('message:edit', { message_id, content: 'y' });
    expect(edited.mentions).toEqual(message.mentions);
    await settle(ann, bob);
    bob.clear();
    const { message: same } = await ann.ok('message:edit', { message_id, content: 'y', mentions: message.mentions! });
    expect(same).toEqual(edited);
    await settle(ann, bob);
    expect(bob.seen('message:updated')).toEqual([]);
  });

  it.each([
    ['nobody', {}, 'mentions'],
    ['an empty list', { user_ids: [] }, 'mentions.user_ids'],
    ['somebody twice', { user_ids: 'twice' }, 'mentions.user_ids'],
    ['oneself', { user_ids: 'self' }, 'mentions.user_ids.1'],
    ['somebody who is not there', { user_ids: 'stranger' }, 'mentions.user_ids.0'],
    ['more than fifty', { user_ids: 'many' }, 'mentions.user_ids'],
    ['everyone: false', { everyone: false }, 'mentions.everyone'],
  ])('name %s: refused', async (_, wanted, path) => {
    const target = await makeGroup();
    const lists: Record<string, string[]> = {
      twice: [bob.id, bob.id],
      self: [bob.id, ann.id],
      stranger: [late.id],
      many: Array.from({ length: 51 }, (_unused, i) => i.toString(16).padStart(24, '0')),
    };
    const { user_ids } = wanted as { user_ids?: string | string[] };
    const mentions = typeof user_ids === 'string' ? { user_ids: lists[user_ids] } : wanted;
    const { code, details } = await ann.refused('message:send', { ...target, content: 'x', mentions });
    expect([code, (details as { path: string }[])[0]!.path]).toEqual(['validation_failed', path]);
    if (Object.keys(wanted).length === 0) return;
    const { message } = await ann.ok('message:send', { ...target, content: 'x' });
    const edit = { message_id: message._id, content: 'x', mentions };
    expect((await ann.refused('message:edit', edit)).code).toBe('validation_failed');
  });

  it('of everyone are for groups, by permission', async () => {
    const everyone = { content: 'x', mentions: { everyone: true } };
    const { code, details } = await ann.refused('message:send', { recipient_id: bob.id, ...everyone });
    expect([code, details]).toMatchObject(['validation_failed', [{ path: 'mentions.everyone' }]]);
    const target = await makeGroup();
    await ann.ok('group:update', { ...target, permissions: { mention_everyone: 'admin' } });
    expect((await bob.refused('message:send', { ...target, ...everyone })).code).toBe('forbidden');
    await ann.ok('message:send', { ...target, content: 'x', mentions: { everyone: true } });
    await bob.ok('message:send', { ...target, content: 'x', mentions: { user_ids: [ann.id] } });
  });

  it('from before a joining, or after a removal, are neither counted nor listed', async () => {
    const target = await makeGroup();
    await ann.ok('message:send', { ...target, content: 'before', mentions: { everyone: true } });
    await ann.ok('group:add_members', { ...target, user_ids: [late.id] });
    expect(await countOf(late, target.group_id)).toBe(0);
    expect(await idsOf(late)).toEqual([]);
    const { message } = await ann.ok('message:send', { ...target, content: 'x', mentions: { user_ids: [late.id] } });
    expect(await countOf(late, target.group_id)).toBe(1);
    expect(await idsOf(late)).toEqual([message._id]);
    await ann.ok('group:remove_member', { ...target, user_id: late.id });
    expect(await idsOf(late)).toEqual([]);
    expect((await late.refused('message:mentions', { before_id: message._id })).code).toBe('not_found');
  });

  it('are listed in pages over all conversations, newest first', async () => {
    const { url } = await sharedServer();
    const [account] = await registerMany(url, 1);
    const zoe = await connect(url, account!);
    const { group } = await ann.ok('group:create', { name: 'Crew', member_ids: [zoe.id] });
    const targets = [{ recipient_id: zoe.id }, { group_id: group._id }];
    const sent: string[] = [];
    for (let i = 0; i < 6; i++) {
      const mentions = { user_ids: [zoe.id] };
      sent.unshift((await ann.ok('message:send', { ...targets[i % 2]!, content: `${i}`, mentions })).message._id);
    }
    const first = await zoe.ok('message:mentions', { limit: 4 });
    expect([first.messages.map(({ _id }) => _id), first.has_more]).toEqual([sent.slice(0, 4), true]);
    const rest = await zoe.ok('message:mentions', { before_id: sent[3]! });
    expect([rest.messages.map(({ _id }) => _id), rest.has_more]).toEqual([sent.slice(4), false]);
    zoe.close();
  });
});
