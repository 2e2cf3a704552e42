/** Invitations to groups over two nodes (PROTOCOL section 16): making, showing and revoking them. */
import { describe, expect, it } from 'vitest';
import { connect, type Device, registerMany } from '../support/client.ts';
import { startServer } from '../support/server.ts';
import { codes, invitationScene, join } from './invitation-scene.ts';
import { NOBODY } from './scene.ts';

const { makeGroup } = invitationScene();

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
