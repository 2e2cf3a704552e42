/** Invitations that ask for approval (PROTOCOL section 16), over two nodes, and what a crash leaves of an acceptance. */
import { MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Collections, collections } from '../../server/model/collections.ts';
import type { Invite } from '../../shared/contract/documents.ts';
import { connect, type Device, http, registerMany, settle } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';

const MAX = 5;

let cluster: Cluster;
let client: MongoClient;
let stored: Collections;

beforeAll(async () => {
  cluster = await startCluster(2, { GROUP_MAX_MEMBERS: `${MAX}` });
  client = await MongoClient.connect(cluster.database.url);
  stored = collections(client.db());
});
afterAll(async () => {
  await client.close();
  await cluster.stop();
});

/** A group of two admins, one on each node, and people who ask to join. */
async function makeScene(asking: number, max_uses?: number) {
  const accounts = await registerMany(cluster.urls[0]!, asking + 2);
  const [one, other, ...strangers] = (await Promise.all(
    accounts.map((account, i) => connect(cluster.urls[i % 2]!, account)),
  )) as [Device, Device, ...Device[]];
  const { group } = await one.ok('group:create', { name: 'Choir', member_ids: [other.id] });
  const id = group._id;
  await one.ok('group:set_admin', { group_id: id, user_id: other.id, is_admin: true });
  const { invite } = await one.ok('group:invite', {
    group_id: id,
    approval: true,
    ...(max_uses === undefined ? {} : { max_uses }),
  });
  for (const stranger of strangers) {
    expect(await stranger.ok('group:join', { code: invite.code })).toEqual({ requested: true });
  }
  const requests = async () =>
    (await other.ok('group:requests', { group_id: id })).requests.map(({ user }) => user._id);
  const decide = (device: Device, user: Device, accept: boolean) =>
    device.raw('group:decide', { group_id: id, user_id: user.id, accept });
  const usesOf = async ({ invite_id }: Invite) =>
    (await stored.groups.findOne({ _id: new ObjectId(id) }))!.invites![invite_id]!.uses;
  await Promise.all(strangers.map(({ id: asker }) => one.next('group:requested', ({ user }) => user._id === asker)));
  return { id, one, other, strangers, invite, requests, decide, usesOf };
}

const codes = (answers: Awaited<ReturnType<Device['raw']>>[]) => answers.flatMap(({ error }) => error?.code ?? []);

describe('who asks', () => {
  it('is told to those who may add members, once, and takes no use', async () => {
    const { id, one, other, strangers, invite, requests, usesOf } = await makeScene(1);
    const [stranger] = strangers as [Device];
    const { user } = await stranger.ok('user:get', { user_id: stranger.id });
    const { last_seen: _own, ...shown } = user;
    expect(await one.next('group:requested')).toEqual({ group_id: id, user: shown });
    await other.next('group:requested');
    for (const admin of [one, other]) admin.clear();
    expect(await stranger.ok('group:join', { code: invite.code })).toEqual({ requested: true });
    await settle(one, other);
    for (const admin of [one, other]) expect(admin.seen('group:requested')).toEqual([]);
    expect(await requests()).toEqual([stranger.id]);
    expect(await usesOf(invite)).toBe(0);
    expect((await stranger.refused('group:get', { group_id: id })).code).toBe('not_found');
    expect(stranger.seen('group:updated')).toEqual([]);
    expect(stranger.seen('group:requested')).toEqual([]);
  });

  it('is told to members where they may add members, and to admins alone where not', async () => {
    const { id, one, other, invite } = await makeScene(0);
    const later = await Promise.all(
      (await registerMany(cluster.urls[0]!, 2)).map((account) => connect(cluster.urls[0]!, account)),
    );
    await one.ok('group:set_admin', { group_id: id, user_id: other.id, is_admin: false });
    await later[0]!.ok('group:join', { code: invite.code });
    await one.next('group:requested');
    await settle(other);
    expect(other.seen('group:requested')).toEqual([]);
    await one.ok('group:update', { group_id: id, permissions: { add_members: 'member' } });
    await later[1]!.ok('group:join', { code: invite.code });
    expect((await other.next('group:requested')).user._id).toBe(later[1]!.id);
  });

  it('is let in by a decision, which takes the use and tells everybody', async () => {
    const { id, one, other, strangers, invite, requests, decide, usesOf } = await makeScene(2);
    const [stranger, second] = strangers as [Device, Device];
    const { group } = await other.ok('group:decide', { group_id: id, user_id: stranger.id, accept: true });
    expect(group.members).toEqual([one.id, other.id, stranger.id]);
    const news = { group, reason: 'members_added', actor_id: other.id, user_ids: [stranger.id] };
    const isAdded = ({ reason }: { reason: string }) => reason === 'members_added';
    expect(await one.next('group:updated', isAdded)).toEqual(news);
    expect(await stranger.next('group:updated')).toEqual(news);
    expect(await usesOf(invite)).toBe(1);
    expect(await requests()).toEqual([second.id]);
    expect(codes([await decide(one, stranger, true), await decide(one, stranger, false)])).toEqual([
      'not_found',
      'not_found',
    ]);
    await one.ok('message:send', { group_id: id, content: 'welcome' });
    await stranger.next('message:new');
  });

  it('is told nothing when turned down, and may ask again', async () => {
    const { id, one, other, strangers, invite, requests, decide } = await makeScene(1);
    const [stranger] = strangers as [Device];
    const before = await one.ok('group:get', { group_id: id });
    stranger.clear();
    expect((await decide(other, stranger, false)).data).toEqual(before);
    await settle(stranger);
    expect(stranger.events).toEqual([]);
    expect(codes([await decide(one, stranger, true)])).toEqual(['not_found']);
    one.clear();
    expect(await stranger.ok('group:join', { code: invite.code })).toEqual({ requested: true });
    await one.next('group:requested');
    expect(await requests()).toEqual([stranger.id]);
    expect((await decide(one, stranger, true)).ok).toBe(true);
  });
});

describe('a request', () => {
  it('outlives its invitation: revoked, or used up', async () => {
    const { id, one, strangers, invite, decide, usesOf } = await makeScene(2, 1);
    expect((await decide(one, strangers[0]!, true)).ok).toBe(true);
    expect(await usesOf(invite)).toBe(1);
    expect((await one.ok('group:invites', { group_id: id })).invites).toEqual([]);
    expect((await decide(one, strangers[1]!, true)).ok).toBe(true);
    expect(await usesOf(invite)).toBe(1);
    const revoked = await makeScene(1);
    await revoked.one.ok('group:revoke_invite', { invite_id: revoked.invite.invite_id });
    expect(await revoked.requests()).toEqual([revoked.strangers[0]!.id]);
    expect((await revoked.decide(revoked.other, revoked.strangers[0]!, true)).ok).toBe(true);
  });

  it('ends when the user is added by hand, and does not come back when the user leaves', async () => {
    const { id, one, other, strangers, requests, decide } = await makeScene(1);
    const [stranger] = strangers as [Device];
    await one.ok('group:add_members', { group_id: id, user_ids: [stranger.id] });
    expect(await requests()).toEqual([]);
    expect(codes([await decide(other, stranger, true)])).toEqual(['not_found']);
    await stranger.ok('group:leave', { group_id: id });
    expect(await requests()).toEqual([]);
    expect(codes([await decide(other, stranger, false)])).toEqual(['not_found']);
  });

  it('is decided once, by whichever of two who decide at once', async () => {
    for (const decisions of [
      [true, true],
      [true, false],
      [false, false],
    ] as const) {
      const { id, one, other, strangers, decide } = await makeScene(1);
      const [stranger] = strangers as [Device];
      const answers = await Promise.all([decide(one, stranger, decisions[0]), decide(other, stranger, decisions[1])]);
      expect(codes(answers)).toEqual(['not_found']);
      const isIn = (await one.ok('group:get', { group_id: id })).group.members.includes(stranger.id);
      expect(isIn).toBe(decisions[answers.findIndex(({ ok }) => ok)]);
    }
  });

  it('waits when the group is full: accepting is a conflict, and later it is not', async () => {
    const { id, one, other, strangers, requests, decide } = await makeScene(4);
    const answers = await Promise.all(strangers.map((stranger, i) => decide(i % 2 ? one : other, stranger, true)));
    expect(codes(answers)).toEqual(['conflict']);
    const last = strangers[answers.findIndex(({ ok }) => !ok)]!;
    expect(await requests()).toEqual([last.id]);
    const out = strangers.find((stranger) => stranger !== last)!;
    await one.ok('group:remove_member', { group_id: id, user_id: out.id });
    expect((await decide(one, last, true)).ok).toBe(true);
  });

  it('goes with the account, and with the group', async () => {
    const { id, one, strangers, requests, decide } = await makeScene(2);
    const [gone, stays] = strangers as [Device, Device];
    const { access_token: token, password } = gone.account;
    expect((await http(cluster.urls[0]!, 'DELETE', '/users/me', { token, body: { password } })).status).toBe(204);
    expect(await requests()).toEqual([stays.id]);
    expect(codes([await decide(one, gone, true)])).toEqual(['not_found']);
    await one.ok('group:delete', { group_id: id });
    expect(codes([await decide(one, stays, true)])).toEqual(['not_found']);
    await expect.poll(() => stored.join_requests.countDocuments({ group_id: new ObjectId(id) })).toBe(0);
  });

  it('is listed in pages, oldest first', async () => {
    const { id, one, strangers } = await makeScene(3);
    const first = await one.ok('group:requests', { group_id: id, limit: 2 });
    const second = await one.ok('group:requests', { group_id: id, limit: 2, cursor: first.cursor! });
    const listed = [...first.requests, ...second.requests];
    expect(listed.map(({ user }) => user._id)).toEqual(strangers.map((stranger) => stranger.id));
    expect(second.cursor).toBeUndefined();
    for (const { user } of listed) expect(Object.keys(user)).not.toContain('email');
    for (const over of [{ limit: 101 }, { limit: 0 }, { cursor: 'x' }]) {
      expect((await one.refused('group:requests', { group_id: id, ...over })).code).toBe('validation_failed');
    }
  });
});

describe('an acceptance that a crash interrupted', () => {
  it('is carried out by whoever decides, asks or lists next', async () => {
    const { id, one, strangers, invite, decide, usesOf } = await makeScene(3);
    await stored.join_requests.updateMany(
      { group_id: new ObjectId(id) },
      { $set: { accepted_by: new ObjectId(one.id) } },
    );
    const [decided, asked, listed] = strangers as [Device, Device, Device];
    expect(codes([await decide(one, decided, false)])).toEqual(['not_found']);
    const answer = (await asked.ok('group:join', { code: invite.code })) as { group: { members: string[] } };
    expect(answer.group.members).toContain(decided.id);
    expect(answer.group.members).toContain(asked.id);
    expect((await one.ok('group:requests', { group_id: id })).requests).toEqual([]);
    await listed.next('group:updated');
    expect(await usesOf(invite)).toBe(3);
    // It goes once all is told.
    await expect.poll(() => stored.join_requests.countDocuments({ group_id: new ObjectId(id) })).toBe(0);
  });
});
