/** Permissions of groups (PROTOCOL section 16): who may do what, over sockets, HTTP and on every node. */
import { MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Permissions } from '../../shared/contract/documents.ts';
import { connect, type Device, http, registerMany, settle } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

const BY_DEFAULT: Permissions = {
  send: 'member',
  add_members: 'admin',
  edit_info: 'admin',
  pin: 'admin',
  mention_everyone: 'member',
  react: 'member',
};

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster(2);
});
afterAll(() => cluster.stop());

interface Scene {
  id: string;
  admin: Device;
  member: Device;
  stranger: Device;
}

/** A group of an admin and a member, and somebody who is not in it. The member is on the second node if asked for. */
async function makeScene(options: { permissions?: Partial<Permissions>; node?: number } = {}): Promise<Scene> {
  const { permissions, node = 0 } = options;
  const [one, two, three] = await registerMany(cluster.urls[0]!, 3);
  const admin = await connect(cluster.urls[0]!, one!);
  const member = await connect(cluster.urls[node]!, two!);
  const stranger = await connect(cluster.urls[0]!, three!);
  const { group } = await admin.ok('group:create', {
    name: 'G',
    member_ids: [member.id],
    ...(permissions ? { permissions } : {}),
  });
  await member.next('group:updated');
  for (const one of [admin, member]) one.clear();
  return { id: group._id, admin, member, stranger };
}

describe('the permissions of a group', () => {
  it('are carried always, with what nobody said by default', async () => {
    const { id, admin, member } = await makeScene();
    const { group } = await member.ok('group:get', { group_id: id });
    expect(group).toMatchObject({ permissions: BY_DEFAULT, slow_mode_s: 0 });
    expect((await member.ok('group:list')).groups[0]).toEqual(group);
    expect((await member.ok('conversation:list')).conversations[0]!.group).toEqual(group);
    expect((await admin.ok('sync')).conversations[0]!.conversation.group).toEqual(group);
    const permissions = { send: 'admin', pin: 'member' } as const;
    const given = { name: 'H', member_ids: [], permissions, slow_mode_s: 86_400 };
    const { group: created } = await admin.ok('group:create', given);
    expect(created).toMatchObject({
      permissions: { ...BY_DEFAULT, ...permissions },
      slow_mode_s: 86_400,
    });
  });

  it('are the default ones in a group that was stored without any', async () => {
    const { id, member } = await makeScene();
    const client = await MongoClient.connect(cluster.database.url);
    try {
      const groups = client.db().collection('groups');
      await groups.updateOne({ _id: new ObjectId(id) }, { $unset: { permissions: true, slow_mode_s: true } });
    } finally {
      await client.close();
    }
    const { group } = await member.ok('group:get', { group_id: id });
    expect(group).toMatchObject({ permissions: BY_DEFAULT, slow_mode_s: 0 });
    await member.ok('message:send', { group_id: id, content: 'x' });
    expect((await member.refused('group:update', { group_id: id, name: 'x' })).code).toBe('forbidden');
  });

  it('are changed one by one by admins, and the members are told once', async () => {
    const { id, admin, member } = await makeScene();
    const change = { group_id: id, permissions: { react: 'admin' }, slow_mode_s: 5 } as const;
    const { group } = await admin.ok('group:update', change);
    expect(group).toMatchObject({ permissions: { ...BY_DEFAULT, react: 'admin' }, slow_mode_s: 5 });
    expect(await member.next('group:updated')).toEqual({ group, reason: 'updated', actor_id: admin.id });
    member.clear();
    expect((await admin.ok('group:update', change)).group).toEqual(group);
    await settle(member);
    expect(member.seen('group:updated')).toEqual([]);
    // Two who change different ones at once both do.
    await admin.ok('group:set_admin', { group_id: id, user_id: member.id, is_admin: true });
    await Promise.all([
      admin.ok('group:update', { group_id: id, permissions: { pin: 'member' } }),
      member.ok('group:update', { group_id: id, permissions: { edit_info: 'member' } }),
    ]);
    const { permissions } = (await admin.ok('group:get', { group_id: id })).group;
    expect(permissions).toEqual({ ...BY_DEFAULT, react: 'admin', pin: 'member', edit_info: 'member' });
  });

  it('are refused where they are none, and where slow mode is out of bounds', async () => {
    const { id, admin } = await makeScene();
    const refusedFor = async (over: object) => {
      const update = await admin.refused('group:update', { group_id: id, ...over });
      const create = await admin.refused('group:create', { name: 'x', member_ids: [], ...over });
      expect([update.code, create.code]).toEqual(['validation_failed', 'validation_failed']);
    };
    await refusedFor({ permissions: { send: 'nobody' } });
    await refusedFor({ permissions: { fly: 'member' } });
    await refusedFor({ permissions: null });
    await refusedFor({ slow_mode_s: -1 });
    await refusedFor({ slow_mode_s: 86_401 });
    await refusedFor({ slow_mode_s: 0.5 });
    await refusedFor({ slow_mode_s: null });
  });
});

describe('edit_info', () => {
  it('lets members change name, description and icon, but neither permissions nor slow mode', async () => {
    const { id, admin, member, stranger } = await makeScene();
    const update = (over: object) => member.refused('group:update', { group_id: id, ...over });
    expect((await update({ name: 'x' })).code).toBe('forbidden');
    expect((await update({})).code).toBe('forbidden');
    await admin.ok('group:update', { group_id: id, permissions: { edit_info: 'member' } });
    const { group } = await member.ok('group:update', { group_id: id, name: 'Renamed', description: 'By a member' });
    expect(group).toMatchObject({ name: 'Renamed', description: 'By a member' });
    expect(await admin.next('group:updated')).toEqual({ group, reason: 'updated', actor_id: member.id });
    expect((await update({ permissions: { send: 'admin' } })).code).toBe('forbidden');
    expect((await update({ name: 'Again', permissions: {} })).code).toBe('forbidden');
    expect((await update({ name: 'Again', slow_mode_s: 0 })).code).toBe('forbidden');
    expect((await admin.ok('group:get', { group_id: id })).group).toEqual(group);
    expect((await stranger.refused('group:update', { group_id: id, name: 'x' })).code).toBe('not_found');
    await admin.ok('group:update', { group_id: id, permissions: { edit_info: 'admin' } });
    expect((await update({ name: 'x' })).code).toBe('forbidden');
  });
});

describe('add_members', () => {
  it('lets members add others, who remain the admins’ to remove', async () => {
    const { id, admin, member, stranger } = await makeScene();
    const add = { group_id: id, user_ids: [stranger.id] };
    expect((await member.refused('group:add_members', add)).code).toBe('forbidden');
    expect((await stranger.refused('group:add_members', add)).code).toBe('not_found');
    await admin.ok('group:update', { group_id: id, permissions: { add_members: 'member' } });
    const { group } = await member.ok('group:add_members', add);
    expect(group.members).toEqual([admin.id, member.id, stranger.id]);
    const news = { group, reason: 'members_added', actor_id: member.id, user_ids: [stranger.id] };
    expect(await stranger.next('group:updated')).toEqual(news);
    expect((await member.refused('group:remove_member', { group_id: id, user_id: stranger.id })).code).toBe(
      'forbidden',
    );
  });
});

describe('a channel (send: admin)', () => {
  const permissions = { send: 'admin' } as const;

  it('lets members read and react, but neither write nor type', async () => {
    const { id, admin, member } = await makeScene({ permissions });
    const { message } = await admin.ok('message:send', { group_id: id, content: 'news' });
    await member.next('message:new');
    expect((await member.ok('message:history', { group_id: id })).messages).toEqual([message]);
    await member.ok('message:react', { message_id: message._id, emoji: '👍' });
    expect((await member.refused('message:send', { group_id: id, content: 'x' })).code).toBe('forbidden');
    expect((await member.refused('typing:start', { group_id: id })).code).toBe('forbidden');
    expect((await member.refused('typing:stop', { group_id: id })).code).toBe('forbidden');
    const { access_token: token } = member.account;
    const answer = await http(cluster.urls[0]!, 'POST', '/api/message/send', {
      token,
      body: { group_id: id, content: 'x' },
    });
    expect([answer.status, answer.json.error.code]).toEqual([403, 'forbidden']);
    await settle(admin);
    expect(admin.seen('message:new')).toEqual([]);
    expect(admin.seen('typing')).toEqual([]);
    await admin.ok('group:set_admin', { group_id: id, user_id: member.id, is_admin: true });
    await member.ok('message:send', { group_id: id, content: 'as an admin' });
  });

  it('leaves edits and deletions of one’s own, and a repeat of what was sent before', async () => {
    const { id, admin, member } = await makeScene();
    const sent = { group_id: id, content: 'first', client_message_id: 'mine' };
    const { message } = await member.ok('message:send', sent);
    await admin.ok('group:update', { group_id: id, permissions });
    expect(await member.ok('message:send', sent)).toEqual({ message, duplicate: true });
    expect((await member.refused('message:send', { ...sent, client_message_id: 'other' })).code).toBe('forbidden');
    const edited = await member.ok('message:edit', { message_id: message._id, content: 'corrected' });
    expect(edited.message.content).toBe('corrected');
    expect((await member.ok('message:delete', { message_id: message._id })).message.is_deleted).toBe(true);
  });

  it('does not tell a stranger that it is there', async () => {
    const { id, stranger } = await makeScene({ permissions });
    expect((await stranger.refused('message:send', { group_id: id, content: 'x' })).code).toBe('not_found');
    expect((await stranger.refused('typing:start', { group_id: id })).code).toBe('not_found');
  });
});

describe('react', () => {
  it('keeps new reactions to admins; what one gave before can be taken back', async () => {
    const { id, admin, member } = await makeScene();
    const { message } = await admin.ok('message:send', { group_id: id, content: 'x' });
    const reaction = { message_id: message._id, emoji: '👍' };
    await member.ok('message:react', reaction);
    await admin.ok('group:update', { group_id: id, permissions: { react: 'admin' } });
    expect((await member.refused('message:react', reaction)).code).toBe('forbidden');
    expect((await member.refused('message:react', { ...reaction, emoji: '🎉' })).code).toBe('forbidden');
    expect((await member.ok('message:react', { ...reaction, remove: true })).message.reactions).toBeUndefined();
    expect((await admin.ok('message:react', reaction)).message.reactions).toEqual([
      { emoji: '👍', user_ids: [admin.id] },
    ]);
  });
});

describe('a change of permissions', () => {
  it('holds at once on its own node, and soon on the other, both ways', async () => {
    for (const node of [0, 1]) {
      const { id, admin, member } = await makeScene({ node });
      const send = () => member.raw('message:send', { group_id: id, content: 'x' });
      expect((await send()).ok).toBe(true);
      for (const [permitted, code] of [
        ['admin', 'forbidden'],
        ['member', undefined],
      ] as const) {
        await admin.ok('group:update', { group_id: id, permissions: { send: permitted } });
        if (node === 0) expect((await send()).error?.code).toBe(code);
        else await eventually(async () => expect((await send()).error?.code).toBe(code));
      }
    }
  });

  it('holds within 2 s also where Redis has lost it', async () => {
    const { id, admin, member } = await makeScene({ node: 1 });
    await member.ok('message:send', { group_id: id, content: 'remembered' });
    cluster.toRedis[1]!.hang();
    try {
      await admin.ok('group:update', { group_id: id, permissions: { send: 'admin' } });
      await eventually(async () => {
        expect((await member.raw('message:send', { group_id: id, content: 'x' })).error?.code).toBe('forbidden');
      });
    } finally {
      cluster.toRedis[1]!.pass();
    }
  });
});
