import { beforeAll, describe, expect, it } from 'vitest';
import { connectPair, type Device, settle } from '../support/client.ts';
import { sharedServer } from '../support/server.ts';

let ann: Device;
let bob: Device;

beforeAll(async () => {
  const { url } = await sharedServer();
  [ann, bob] = await connectPair(url, url);
});

const DATA = { _bsontype: 'ObjectId', b: [1, null], a: {} };

async function make(more: object) {
  const { group } = await ann.ok('group:create', { name: 'Choir', member_ids: [bob.id], ...more });
  return group;
}

describe('metadata of a group', () => {
  it('is told to the members as it came, with the group wherever that is shown', async () => {
    const group = await make({ metadata: DATA });
    const news = await bob.next('group:updated', (event) => event.group._id === group._id);
    const got = await bob.ok('group:get', { group_id: group._id });
    const { groups } = await bob.ok('group:list');
    const { conversations } = await bob.ok('conversation:list');
    const shown = [
      group,
      news.group,
      got.group,
      groups.find(({ _id }) => _id === group._id),
      conversations.find(({ conversation_id }) => conversation_id === group._id)?.group,
    ];
    for (const one of shown) expect(JSON.stringify(one?.metadata)).toBe(JSON.stringify(DATA));
  });

  it('is replaced, and taken away by {}; the same one is no change', async () => {
    const { _id: group_id } = await make({ metadata: DATA });
    await bob.next('group:updated', (event) => event.group._id === group_id);
    const { group: replaced } = await ann.ok('group:update', { group_id, metadata: { c: 1 } });
    expect(replaced.metadata).toEqual({ c: 1 });
    expect((await bob.next('group:updated', ({ reason }) => reason === 'updated')).group).toEqual(replaced);
    await settle(ann, bob);
    bob.clear();
    const { group: same } = await ann.ok('group:update', { group_id, metadata: { c: 1 } });
    expect(same).toEqual(replaced);
    const { group: renamed } = await ann.ok('group:update', { group_id, name: 'Band' });
    expect(renamed.metadata).toEqual({ c: 1 });
    const { group: bare } = await ann.ok('group:update', { group_id, metadata: {} });
    expect(bare).not.toHaveProperty('metadata');
    await settle(ann, bob);
    expect(bob.seen('group:updated')).toHaveLength(2);
    expect((await bob.ok('group:get', { group_id })).group).not.toHaveProperty('metadata');
  });

  it('is left out where it is empty, refused where it is not as it must be, and the admins’ alone', async () => {
    const group = await make({ metadata: {} });
    expect(group).not.toHaveProperty('metadata');
    const bad = { metadata: { a: { $b: 1 } } };
    expect((await ann.refused('group:create', { name: 'x', member_ids: [], ...bad })).code).toBe('validation_failed');
    expect((await ann.refused('group:update', { group_id: group._id, ...bad })).code).toBe('validation_failed');
    const theirs = { group_id: group._id, metadata: { a: 1 } };
    expect((await bob.refused('group:update', theirs)).code).toBe('forbidden');
  });
});
