/** Joining groups by their invitations, over two nodes (PROTOCOL section 16). */
import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { connect, type Device, http, settle } from '../support/client.ts';
import { codes, invitationScene, join, MAX } from './invitation-scene.ts';

const scene = invitationScene();
const { makeGroup } = scene;

/** By a mutual request. */
async function becomeContacts(one: Device, other: Device): Promise<void> {
  await one.ok('contact:request', { user_id: other.id });
  await other.ok('contact:accept', { user_id: one.id });
}

describe('group:join', () => {
  it('makes a member, tells everybody, and shows what comes from then on', async () => {
    const { id, admin, others, invite } = await makeGroup(1);
    const [joiner] = others as [Device];
    const laptop = await connect(scene.cluster.urls[0]!, joiner.account);
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
    await scene.stored.groups.updateOne(
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
    const twin = await connect(scene.cluster.urls[0]!, others[0]!.account);
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
    const answer = await http(scene.cluster.urls[0]!, 'POST', '/api/group/join', { token, body: { code } });
    expect(answer.status).toBe(200);
    expect(answer.json.data.group.members).toContain(others[0]!.id);
  });
});
