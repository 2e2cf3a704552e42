import { beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Device, http, settle } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';
import { makeGroup, NOBODY } from './scene.ts';

let server: TestServer;

beforeAll(async () => {
  server = await sharedServer();
});

describe('group:set_admin', () => {
  it('gives and takes the role, and tells the others', async () => {
    const { id, devices } = await makeGroup(server, 1);
    const [admin, member] = devices as [Device, Device];
    const set = (user_id: string, is_admin: boolean) => ({ group_id: id, user_id, is_admin });
    const { group } = await admin.ok('group:set_admin', set(member.id, true));
    expect(group.admins).toEqual([admin.id, member.id]);
    expect(await member.next('group:updated')).toEqual({
      group,
      reason: 'admins_changed',
      actor_id: admin.id,
      user_ids: [member.id],
    });
    member.clear();
    await admin.ok('group:set_admin', set(member.id, true));
    await settle(member);
    expect(member.seen('group:updated')).toEqual([]);
    expect((await member.ok('group:set_admin', set(admin.id, false))).group.admins).toEqual([member.id]);
  });

  it("refuses to take the last admin's role, even if two take it from each other at the same time", async () => {
    const { id, devices } = await makeGroup(server, 1);
    const [admin, member] = devices as [Device, Device];
    const set = (user_id: string, is_admin: boolean) => ({ group_id: id, user_id, is_admin });
    expect((await admin.refused('group:set_admin', set(admin.id, false))).code).toBe('conflict');
    expect((await admin.refused('group:set_admin', set(NOBODY, true))).code).toBe('not_found');
    expect((await member.refused('group:set_admin', set(member.id, true))).code).toBe('forbidden');
    for (let round = 0; round < 5; round++) {
      await admin.raw('group:set_admin', set(member.id, true));
      await member.raw('group:set_admin', set(admin.id, true));
      const answers = await Promise.all([
        admin.raw('group:set_admin', set(admin.id, false)),
        member.raw('group:set_admin', set(member.id, false)),
      ]);
      expect(answers.filter((answer) => answer.ok)).toHaveLength(1);
      expect(answers.find((answer) => !answer.ok)!.error!.code).toBe('conflict');
    }
  });
});

describe('a deactivated account', () => {
  const deactivate = async ({ access_token: token, password }: Account) =>
    expect((await http(server.url, 'DELETE', '/users/me', { token, body: { password } })).status).toBe(204);

  it('stays a member, but another member becomes an admin if it was the only one', async () => {
    const { devices, accounts } = await makeGroup(server, 2);
    const [creator, second] = devices as [Device, Device, Device];
    await deactivate(accounts[0]!);
    const news = await second.next('group:updated');
    expect(news).toMatchObject({ reason: 'admins_changed', user_ids: [second.id] });
    expect(news.group.admins).toEqual([creator.id, second.id]);
    expect(news.group.members).toContain(creator.id);
  });

  it('does not count as an admin, and nobody hands over to it', async () => {
    const { id, devices, accounts } = await makeGroup(server, 4);
    const [first, gone, second, alsoGone, third] = devices as [Device, Device, Device, Device, Device];
    const set = (user_id: string, is_admin: boolean) => ({ group_id: id, user_id, is_admin });
    await first.ok('group:set_admin', set(gone.id, true));
    await deactivate(accounts[1]!);
    await deactivate(accounts[3]!);
    expect((await first.refused('group:set_admin', set(first.id, false))).code).toBe('conflict');
    expect((await first.ok('group:leave', { group_id: id })).group.admins).toEqual([gone.id, second.id]);
    await second.ok('group:set_admin', set(alsoGone.id, true));
    await deactivate(accounts[2]!);
    const news = await third.next('group:updated', ({ actor_id }) => actor_id === second.id);
    await third.next('group:updated', ({ group }) => group.admins.includes(third.id));
    expect(news.group.members).toContain(second.id);
  });
});
