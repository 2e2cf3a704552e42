import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, connect, type Device, http, register, registerMany, settle } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { makeGroup, NOBODY } from './scene.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ env: { GROUP_MAX_MEMBERS: '6' } });
});
afterAll(() => server?.stop());

describe('group:create', () => {
  it('makes the creator the first member and only admin, counts everyone once, and tells the others', async () => {
    const [ann, bob] = await registerMany(server.url, 2);
    const phone = await connect(server.url, ann!);
    const laptop = await connect(server.url, ann!);
    const other = await connect(server.url, bob!);
    const { group } = await phone.ok('group:create', { name: 'Two', member_ids: [bob!.id, ann!.id, bob!.id] });
    expect(group).toMatchObject({
      name: 'Two',
      description: null,
      icon: null,
      creator_id: ann!.id,
      members: [ann!.id, bob!.id],
      admins: [ann!.id],
      is_active: true,
    });
    const told = { group, reason: 'created', actor_id: ann!.id };
    expect(await other.next('group:updated')).toEqual(told);
    expect(await laptop.next('group:updated')).toEqual(told);
    await settle(phone);
    expect(phone.seen('group:updated')).toEqual([]);
  });

  it('refuses too many, unknown and deactivated members, and names that are empty, too long, invisible or turn the writing', async () => {
    const accounts = await registerMany(server.url, 7);
    const device = await connect(server.url, accounts[0]!);
    const gone = accounts[6]!;
    await http(server.url, 'DELETE', '/users/me', { token: gone.access_token, body: { password: gone.password } });
    const create = (payload: object) => device.refused('group:create', { name: 'G', member_ids: [], ...payload });
    expect((await create({ member_ids: accounts.slice(1).map((one) => one.id) })).code).toBe('validation_failed');
    expect((await create({ member_ids: [NOBODY] })).code).toBe('not_found');
    expect((await create({ member_ids: [gone.id] })).code).toBe('not_found');
    expect((await create({ member_ids: ['x'] })).code).toBe('validation_failed');
    expect((await create({ name: '' })).code).toBe('validation_failed');
    for (const name of [' \u200b', '\u2800', 'gpj.\u202eexe', '\u2067open']) {
      expect(await create({ name })).toMatchObject({ code: 'validation_failed', details: [{ path: 'name' }] });
    }
    expect((await create({ name: 'x'.repeat(101) })).code).toBe('validation_failed');
    expect((await create({ description: 'x'.repeat(1001) })).code).toBe('validation_failed');
    expect((await create({ icon: NOBODY })).code).toBe('not_found');
    expect((await device.ok('group:list', {})).groups).toEqual([]);
    await device.ok('group:create', { name: '🎶'.repeat(100), member_ids: accounts.slice(1, 6).map((one) => one.id) });
  });
});

describe('group:get and group:list', () => {
  it('show a group to its members only', async () => {
    const { id, devices } = await makeGroup(server, 1);
    const stranger = await connect(server.url, await register(server.url));
    for (const device of devices) {
      const { group } = await device.ok('group:get', { group_id: id });
      expect((await device.ok('group:list', {})).groups).toEqual([group]);
    }
    expect((await stranger.refused('group:get', { group_id: id })).code).toBe('not_found');
    expect((await stranger.refused('group:get', { group_id: NOBODY })).code).toBe('not_found');
    expect((await stranger.ok('group:list', {})).groups).toEqual([]);
  });
});

describe('group:update', () => {
  it('changes the given fields, tells the others, and tells nobody if nothing changes', async () => {
    const { id, devices } = await makeGroup(server, 1);
    const [admin, member] = devices as [Device, Device];
    const { group } = await admin.ok('group:update', { group_id: id, name: '$name', description: 'd' });
    expect(group).toMatchObject({ name: '$name', description: 'd' });
    expect(await member.next('group:updated')).toEqual({ group, reason: 'updated', actor_id: admin.id });
    member.clear();
    expect((await admin.ok('group:update', { group_id: id, name: '$name' })).group).toEqual(group);
    expect((await admin.refused('group:update', { group_id: id, name: '\u3164' })).code).toBe('validation_failed');
    expect((await admin.ok('group:update', { group_id: id })).group).toEqual(group);
    await settle(member);
    expect(member.seen('group:updated')).toEqual([]);
    expect((await admin.ok('group:update', { group_id: id, description: null })).group.description).toBeNull();
  });

  it('is for admins, and refuses an icon that is not their own upload', async () => {
    const { id, devices } = await makeGroup(server, 1);
    const stranger = await connect(server.url, await register(server.url));
    expect((await devices[1]!.refused('group:update', { group_id: id, name: 'x' })).code).toBe('forbidden');
    expect((await stranger.refused('group:update', { group_id: id, name: 'x' })).code).toBe('not_found');
    expect((await devices[0]!.refused('group:update', { group_id: id, icon: NOBODY })).code).toBe('not_found');
  });
});

describe('the icon of a group', () => {
  it('is an image of the admin who chose it; another admin may repeat it but not choose it', async () => {
    const { id, devices, accounts } = await makeGroup(server, 1);
    const [admin, second] = devices as [Device, Device];
    const upload = async (account: Account): Promise<string> => {
      const form = new FormData();
      const image = sharp({ create: { width: 8, height: 8, channels: 3, background: 'teal' } }).png();
      form.set('file', new Blob([new Uint8Array(await image.toBuffer())]), 'icon.png');
      const headers = { authorization: `Bearer ${account.access_token}` };
      const response = await fetch(`${server.url}/media`, { method: 'POST', headers, body: form });
      return ((await response.json()) as { media: { _id: string } }).media._id;
    };
    const icon = await upload(accounts[0]!);
    const { group } = await admin.ok('group:update', { group_id: id, icon });
    expect(group.icon).toBe(icon);
    expect((await second.next('group:updated')).group.icon).toBe(icon);
    await admin.ok('group:set_admin', { group_id: id, user_id: second.id, is_admin: true });
    await second.ok('group:update', { group_id: id, name: 'Renamed', icon });
    expect((await second.ok('group:update', { group_id: id, icon: null })).group.icon).toBeNull();
    expect((await second.refused('group:update', { group_id: id, icon })).code).toBe('not_found');
  });
});

describe('group:delete', () => {
  it('is for the creator, and nobody finds the group afterwards', async () => {
    const { id, devices } = await makeGroup(server, 2);
    const [creator, admin, member] = devices as [Device, Device, Device];
    await creator.ok('group:set_admin', { group_id: id, user_id: admin.id, is_admin: true });
    expect((await admin.refused('group:delete', { group_id: id })).code).toBe('forbidden');
    const { message } = await member.ok('message:send', { group_id: id, content: 'x' });
    const { group } = await creator.ok('group:delete', { group_id: id });
    expect(group.is_active).toBe(false);
    expect(await member.next('group:updated', ({ reason }) => reason === 'deleted')).toEqual({
      group,
      reason: 'deleted',
      actor_id: creator.id,
    });
    for (const device of devices) {
      for (const [name, payload] of [
        ['group:get', { group_id: id }],
        ['group:delete', { group_id: id }],
        ['group:leave', { group_id: id }],
        ['group:update', { group_id: id, name: 'x' }],
        ['group:add_members', { group_id: id, user_ids: [NOBODY] }],
        ['group:remove_member', { group_id: id, user_id: member.id }],
        ['group:set_admin', { group_id: id, user_id: member.id, is_admin: true }],
        ['message:send', { group_id: id, content: 'x' }],
        ['message:history', { group_id: id }],
        ['message:delete', { message_id: message._id }],
      ] as const) {
        expect((await device.refused(name, payload)).code, name).toBe('not_found');
      }
      expect((await device.ok('group:list', {})).groups).toEqual([]);
    }
  });
});
