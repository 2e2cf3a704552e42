import { beforeAll, describe, expect, it } from 'vitest';
import { connect, type Device, registerMany } from '../support/client.ts';
import { sharedServer } from '../support/server.ts';

let url: string;
let ann: Device;
let bob: Device;
let eve: Device;

beforeAll(async () => {
  ({ url } = await sharedServer());
  const accounts = await registerMany(url, 3);
  [ann, bob, eve] = (await Promise.all(accounts.map((account) => connect(url, account)))) as [Device, Device, Device];
});

const send = async (target: object, content = 'x') =>
  (await ann.ok('message:send', { ...target, content } as never)).message._id;
const save = (device: Device, message_id: string, saved = true) => device.ok('message:save', { message_id, saved });
const savedOf = async (device: Device, more: object = {}) =>
  (await device.ok('message:saved', more)).messages.map(({ _id }) => _id);

describe('saved messages', () => {
  it('are listed for who saved them, last saved first, in pages', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push(await send({ recipient_id: bob.id }));
    for (const i of [3, 0, 4, 1]) expect(await save(bob, ids[i]!)).toEqual({ saved: true });
    await save(bob, ids[3]!);
    const order = [1, 4, 0, 3].map((i) => ids[i]!);
    expect(await savedOf(bob)).toEqual(order);
    expect(await savedOf(ann)).toEqual([]);
    const { messages, has_more } = await bob.ok('message:saved', { limit: 3 });
    expect([messages.map(({ _id }) => _id), has_more]).toEqual([order.slice(0, 3), true]);
    expect(await savedOf(bob, { before_id: order[2] })).toEqual(order.slice(3));
    expect(await save(bob, order[0]!, false)).toEqual({ saved: false });
    expect(await save(bob, order[0]!, false)).toEqual({ saved: false });
    expect(await savedOf(bob)).toEqual(order.slice(1));
    expect((await bob.refused('message:saved', { before_id: order[0] })).code).toBe('not_found');
  });

  it('show how the message is now, and go with it', async () => {
    const [zoe] = await Promise.all((await registerMany(url, 1)).map((account) => connect(url, account)));
    const [kept, deleted] = [await send({ recipient_id: zoe!.id }), await send({ recipient_id: zoe!.id })];
    for (const id of [kept, deleted]) await save(zoe!, id);
    const { message } = await ann.ok('message:edit', { message_id: kept, content: 'y' });
    await ann.ok('message:delete', { message_id: deleted });
    expect((await zoe!.ok('message:saved')).messages).toEqual([message]);
    expect((await zoe!.refused('message:save', { message_id: deleted, saved: true })).code).toBe('conflict');
    zoe!.close();
  });

  it('go with the right to see them', async () => {
    const { group } = await ann.ok('group:create', { name: 'Crew', member_ids: [eve.id] });
    const id = await send({ group_id: group._id });
    await save(eve, id);
    expect(await savedOf(eve)).toEqual([id]);
    await ann.ok('group:remove_member', { group_id: group._id, user_id: eve.id });
    expect(await savedOf(eve)).toEqual([]);
    expect((await eve.refused('message:save', { message_id: id, saved: true })).code).toBe('not_found');
    await ann.ok('group:add_members', { group_id: group._id, user_ids: [eve.id] });
    expect(await savedOf(eve)).toEqual([]);
  });

  it('fill a page although many before them have gone', async () => {
    const [zoe] = await Promise.all((await registerMany(url, 1)).map((account) => connect(url, account)));
    const { group } = await ann.ok('group:create', { name: 'Crew', member_ids: [zoe!.id] });
    const kept = await send({ recipient_id: zoe!.id });
    await save(zoe!, kept);
    const ids = await Promise.all(Array.from({ length: 120 }, () => send({ group_id: group._id })));
    await Promise.all(ids.map((id) => save(zoe!, id)));
    await ann.ok('group:remove_member', { group_id: group._id, user_id: zoe!.id });
    expect(await savedOf(zoe!)).toEqual([kept]);
    zoe!.close();
  });

  it('are not told to anyone, not even to the other devices', async () => {
    const id = await send({ recipient_id: bob.id });
    const { messages: before } = await ann.ok('message:history', { recipient_id: bob.id, limit: 1 });
    await save(bob, id);
    expect((await ann.ok('message:history', { recipient_id: bob.id, limit: 1 })).messages).toEqual(before);
    expect((await eve.refused('message:save', { message_id: id, saved: true })).code).toBe('not_found');
  });
});
