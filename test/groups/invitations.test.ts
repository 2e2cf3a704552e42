/** Invitations to groups over two nodes (PROTOCOL section 16): making, showing and revoking them, and joining by them. */
import { MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Collections, collections } from '../../server/model/collections.ts';
import type { Invite } from '../../shared/contract/documents.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import { connect, type Device, http, registerMany, settle } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { startServer } from '../support/server.ts';
import { NOBODY } from './scene.ts';

const MAX = 6;

let cluster: Cluster;
let client: MongoClient;
let stored: Collections;

beforeAll(async () => {
  const env = { GROUP_MAX_MEMBERS: `${MAX}`, GROUP_ADD: 'contacts', PUBLIC_URL: 'https://chat.example.test' };
  cluster = await startCluster(2, env);
  client = await MongoClient.connect(cluster.database.url);
  stored = collections(client.db());
});
afterAll(async () => {
  await client.close();
  await cluster.stop();
});

/** Devices of so many people, on the two nodes by turns. */
async function people(count: number): Promise<Device[]> {
  const accounts = await registerMany(cluster.urls[0]!, count);
  return Promise.all(accounts.map((account, i) => connect(cluster.urls[i % 2]!, account)));
}

/** A group of an admin, and people who are not in it. */
async function makeGroup(strangers: number) {
  const [admin, ...others] = (await people(strangers + 1)) as [Device, ...Device[]];
  const { group } = await admin.ok('group:create', { name: 'Choir', member_ids: [] });
  const invite = async (over: Partial<CommandPayload<'group:invite'>> = {}): Promise<Invite> =>
    (await admin.ok('group:invite', { group_id: group._id, ...over })).invite;
  const members = async () => (await admin.ok('group:get', { group_id: group._id })).group.members;
  return { id: group._id, admin, others, invite, members };
}

const join = (device: Device, { code }: { code: string }) => device.raw('group:join', { code });
const codes = (answers: Awaited<ReturnType<Device['raw']>>[]) => answers.flatMap(({ error }) => error?.code ?? []);

/** By a mutual request. */
async function becomeContacts(one: Device, other: Device): Promise<void> {
  await one.ok('contact:request', { user_id: other.id });
  await other.ok('contact:accept', { user_id: one.id });
}

describe('group:invite', () => {
  it('makes a code that cannot be guessed, and carries what was asked for', async () => {
    const { id, admin, invite } = await makeGroup(0);
    const plain = await invite();
    expect(plain).toEqual({
      invite_id: expect.stringMatching(/^[0-9a-f]{24}$/),
      code: expect.stringMatching(/^[\w-]{22,}$/),
      url: `https://chat.example.test/join/${plain.code}`,
      created_by: admin.id,
      created_at: expect.any(String),
      uses: 0,
      approval: false,
    });
    const full = await invite({ expires_in_s: 60, max_uses: 10_000, approval: true });
    expect(full).toMatchObject({ max_uses: 10_000, approval: true });
    expect(Date.parse(full.expires_at!) - Date.parse(full.created_at)).toBe(60_000);
    expect(full.code).not.toBe(plain.code);
    expect((await admin.ok('group:invites', { group_id: id })).invites).toEqual([plain, full]);
    // No group on the wire has them.
    const { group } = await admin.ok('group:get', { group_id: id });
    expect(JSON.stringify([group, await admin.ok('sync')])).not.toContain(plain.code);
  });

  it('is refused where its bounds are wrong', async () => {
    const { id, admin } = await makeGroup(0);
    for (const over of [
      { expires_in_s: 59 },
      { expires_in_s: 31_536_001 },
      { max_uses: 0 },
      { max_uses: 10_001 },
      { max_uses: 1.5 },
      { approval: 'yes' },
      { code: 'mine' },
    ]) {
      expect((await admin.refused('group:invite', { group_id: id, ...over })).code).toBe('validation_failed');
    }
  });

  it('like seeing and revoking, is for those who may add members', async () => {
    const { id, admin, others, invite } = await makeGroup(2);
    const [member, stranger] = others as [Device, Device];
    const made = await invite();
    expect((await join(member, made)).ok).toBe(true);
    const refusals = async (device: Device) =>
      codes([
        await device.raw('group:invite', { group_id: id }),
        await device.raw('group:invites', { group_id: id }),
        await device.raw('group:requests', { group_id: id }),
        await device.raw('group:decide', { group_id: id, user_id: stranger.id, accept: true }),
        await device.raw('group:revoke_invite', { invite_id: made.invite_id }),
      ]);
    expect(await refusals(member)).toEqual(Array(5).fill('forbidden'));
    expect(await refusals(stranger)).toEqual(Array(5).fill('not_found'));
    expect((await admin.refused('group:revoke_invite', { invite_id: NOBODY })).code).toBe('not_found');
    await admin.ok('group:update', { group_id: id, permissions: { add_members: 'member' } });
    const { invite: own } = await member.ok('group:invite', { group_id: id });
    expect(own.created_by).toBe(member.id);
    const { invites } = await member.ok('group:invites', { group_id: id });
    expect(invites.map(({ invite_id }) => invite_id)).toEqual([made.invite_id, own.invite_id]);
    expect(await member.ok('group:revoke_invite', { invite_id: made.invite_id })).toEqual({});
  });

  it('keeps to a hundred open ones of a group, also at once; those that are over make room', async () => {
    const { id, admin, others, invite } = await makeGroup(1);
    const first = await invite({ max_uses: 1 });
    for (let i = 0; i < 96; i++) await invite();
    const answers = await Promise.all(Array.from({ length: 8 }, () => admin.raw('group:invite', { group_id: id })));
    expect(codes(answers)).toEqual(Array(5).fill('conflict'));
    expect((await admin.ok('group:invites', { group_id: id })).invites).toHaveLength(100);
    expect((await join(others[0]!, first)).ok).toBe(true);
    await invite();
    expect((await admin.refused('group:invite', { group_id: id })).code).toBe('conflict');
    const { invites } = await admin.ok('group:invites', { group_id: id });
    expect(invites).toHaveLength(100);
    await admin.ok('group:revoke_invite', { invite_id: invites[50]!.invite_id });
    await invite();
  });
});

describe('group:preview', () => {
  it('shows what a group is, and nobody in it', async () => {
    const { id, admin, others, invite } = await makeGroup(1);
    const { code } = await invite();
    expect((await others[0]!.ok('group:preview', { code })).group).toEqual({ _id: id, name: 'Choir', member_count: 1 });
    await admin.ok('group:update', { group_id: id, description: 'We sing' });
    const preview = { _id: id, name: 'Choir', description: 'We sing', member_count: 1 };
    expect((await others[0]!.ok('group:preview', { code })).group).toEqual(preview);
    expect((await admin.ok('group:preview', { code })).group).toEqual(preview);
    expect((await others[0]!.refused('group:get', { group_id: id })).code).toBe('not_found');
  });
});

describe('group:join', () => {
  it('makes a member, tells everybody, and shows what comes from then on', async () => {
    const { id, admin, others, invite } = await makeGroup(1);
    const [joiner] = others as [Device];
    const laptop = await connect(cluster.urls[0]!, joiner.account);
    await admin.ok('message:send', { group_id: id, content: 'before' });
    const made = await invite();
    const { group } = (await joiner.ok('group:join', { code: made.code })) as { group: { members: string[] } };
    expect(group.members).toEqual([admin.id, joiner.id]);
    const news = { group, reason: 'members_added', actor_id: joiner.id, user_ids: [joiner.id] };
    expect(await admin.next('group:updated', ({ reason }) => reason === 'members_added')).toEqual(news);
    expect(await laptop.next('group:updated')).toEqual(news);
    const { message } = await admin.ok('message:send', { group_id: id, content: 'after' });
    expect((await joiner.next('message:new')).message).toEqual(message);
    expect((await joiner.ok('message:history', { group_id: id })).messages).toEqual([message]);
    expect(joiner.seen('group:updated')).toEqual([]);
    expect((await admin.ok('group:invites', { group_id: id })).invites).toEqual([{ ...made, uses: 1 }]);
  });

  it('answers who is in with the group, takes no use, and tells nobody; also when it is used up', async () => {
    const { id, admin, others, invite } = await makeGroup(2);
    const [joiner, late] = others as [Device, Device];
    const made = await invite({ max_uses: 1 });
    expect((await join(admin, made)).ok).toBe(true);
    const first = await join(joiner, made);
    await admin.next('group:updated');
    admin.clear();
    expect((await join(joiner, made)).data).toEqual(first.data);
    expect((await join(late, made)).error?.code).toBe('not_found');
    await settle(admin);
    expect(admin.seen('group:updated')).toEqual([]);
    expect((await admin.ok('group:invites', { group_id: id })).invites).toEqual([]);
  });

  it('answers not_found alike for what is unknown, revoked, expired, used up, or of a deleted group', async () => {
    const { id, admin, others, invite } = await makeGroup(2);
    const [taker, stranger] = others as [Device, Device];
    const [revoked, expired, usedUp, open] = [
      await invite(),
      await invite({ expires_in_s: 60 }),
      await invite({ max_uses: 1 }),
      await invite(),
    ];
    await admin.ok('group:revoke_invite', { invite_id: revoked.invite_id });
    expect((await admin.refused('group:revoke_invite', { invite_id: revoked.invite_id })).code).toBe('not_found');
    const past = new Date(Date.now() - 5000);
    await stored.groups.updateOne(
      { _id: new ObjectId(id) },
      { $set: { [`invites.${expired.invite_id}.expires_at`]: past } },
    );
    await join(taker, usedUp);
    const refusals = new Set<string>();
    const isRefused = async (code: string) => {
      for (const name of ['group:join', 'group:preview']) {
        const { code: refusal, message } = await stranger.refused(name, { code });
        expect(refusal).toBe('not_found');
        refusals.add(message);
      }
    };
    for (const { code } of [revoked, expired, usedUp]) await isRefused(code);
    await isRefused('an unknown one');
    await isRefused(open.invite_id);
    expect((await admin.ok('group:invites', { group_id: id })).invites).toEqual([open]);
    await admin.ok('group:delete', { group_id: id });
    await isRefused(open.code);
    expect(refusals.size).toBe(1);
    expect((await stranger.refused('group:join', { code: '' })).code).toBe('validation_failed');
    expect((await stranger.refused('group:join', { code: { $gt: '' } })).code).toBe('validation_failed');
  });

  it('lets one of two have the last use, on whichever nodes', async () => {
    for (let round = 0; round < 4; round++) {
      const { others, invite, members } = await makeGroup(4);
      const made = await invite({ max_uses: 2 });
      const answers = await Promise.all(others.map((one) => join(one, made)));
      expect(codes(answers)).toEqual(['not_found', 'not_found']);
      expect(await members()).toHaveLength(3);
    }
  });

  it('takes one use of who joins twice at once', async () => {
    const { id, admin, others, invite } = await makeGroup(1);
    const twin = await connect(cluster.urls[0]!, others[0]!.account);
    const made = await invite();
    const answers = await Promise.all([others[0]!, twin, twin].map((one) => join(one, made)));
    expect(answers.map(({ ok }) => ok)).toEqual([true, true, true]);
    const { invites } = await admin.ok('group:invites', { group_id: id });
    expect(invites[0]!.uses).toBe(1);
    await settle(admin);
    expect(admin.seen('group:updated')).toHaveLength(1);
  });

  it('is a conflict when the group is full, and lets in no more than fit at once', async () => {
    const { others, invite, members } = await makeGroup(MAX + 2);
    const made = await invite();
    const answers = await Promise.all(others.map((one) => join(one, made)));
    expect(codes(answers)).toEqual(Array(3).fill('conflict'));
    expect(await members()).toHaveLength(MAX);
    const late = others[answers.findIndex(({ ok }) => !ok)]!;
    expect((await join(late, await invite({ approval: true }))).error?.code).toBe('conflict');
  });

  it('does not ask for contacts, nor for blocks', async () => {
    const { id, admin, others, invite } = await makeGroup(1);
    const [joiner] = others as [Device];
    const add = { group_id: id, user_ids: [joiner.id] };
    expect((await admin.refused('group:add_members', add)).code).toBe('forbidden');
    await joiner.ok('contact:block', { user_id: admin.id });
    expect((await join(joiner, await invite())).ok).toBe(true);
  });

  it('does not bring back whom an admin removed, unless the invitation is newer; who left may come back', async () => {
    const { id, admin, others, invite } = await makeGroup(2);
    const [member, other] = others as [Device, Device];
    const old = await invite();
    const asking = await invite({ approval: true });
    await join(member, old);
    await member.ok('group:leave', { group_id: id });
    expect((await join(member, old)).ok).toBe(true);
    await admin.ok('group:remove_member', { group_id: id, user_id: member.id });
    for (const { code } of [old, asking]) {
      expect((await member.refused('group:join', { code })).code).toBe('not_found');
      expect((await member.refused('group:preview', { code })).code).toBe('not_found');
    }
    expect((await join(other, old)).ok).toBe(true);
    const fresh = await invite();
    expect((await member.ok('group:preview', { code: fresh.code })).group.member_count).toBe(2);
    expect((await join(member, fresh)).ok).toBe(true);
    // By hand it is another matter, and the old ones stay closed after it.
    await admin.ok('group:remove_member', { group_id: id, user_id: member.id });
    await becomeContacts(admin, member);
    await admin.ok('group:add_members', { group_id: id, user_ids: [member.id] });
    await member.ok('group:leave', { group_id: id });
    expect((await join(member, old)).error?.code).toBe('not_found');
  });

  it('does not let who is being removed slip back in', async () => {
    const { id, admin, others, invite } = await makeGroup(1);
    const [member] = others as [Device];
    for (let round = 0; round < 5; round++) {
      const made = await invite();
      await join(member, made);
      await Promise.all([
        admin.ok('group:remove_member', { group_id: id, user_id: member.id }),
        ...Array.from({ length: 4 }, () => join(member, made)),
      ]);
      expect((await member.refused('group:get', { group_id: id })).code).toBe('not_found');
    }
  });

  it('comes over HTTP as well', async () => {
    const { others, invite } = await makeGroup(1);
    const { code } = await invite();
    const { access_token: token } = others[0]!.account;
    const answer = await http(cluster.urls[0]!, 'POST', '/api/group/join', { token, body: { code } });
    expect(answer.status).toBe(200);
    expect(answer.json.data.group.members).toContain(others[0]!.id);
  });
});

it('a user may try thirty codes a minute, over previews and joining', async () => {
  const server = await startServer({ env: { RATE_LIMITS: 'on' } });
  try {
    const [guesser, other] = await Promise.all(
      (await registerMany(server.url, 2)).map((account) => connect(server.url, account)),
    );
    const refusals: string[] = [];
    for (let i = 0; i <= 30; i++) {
      refusals.push((await guesser!.refused(i % 2 ? 'group:join' : 'group:preview', { code: `guess ${i}` })).code);
    }
    expect(refusals).toEqual([...Array(30).fill('not_found'), 'rate_limited']);
    expect((await other!.refused('group:join', { code: 'guess' })).code).toBe('not_found');
  } finally {
    await server.stop();
  }
});
