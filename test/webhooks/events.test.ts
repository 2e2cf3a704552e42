/** What a webhook is told of groups, users and calls, by a real server. */
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Collections, collections } from '../../server/model/collections.ts';
import { connect, type Device, http, register, registerMany } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startServer, type TestServer } from '../support/server.ts';
import {
  API_KEY,
  makeWebhook,
  operator,
  startReceiver,
  type TestReceiver,
  WEBHOOK_ENV,
  webhookNamed,
} from './receiver.ts';

let database: TestDatabase;
let client: MongoClient;
let stored: Collections;
let server: TestServer;
let receiver: TestReceiver;
beforeAll(async () => {
  database = await startDatabase();
  client = await new MongoClient(database.url).connect();
  stored = collections(client.db());
  server = await startServer({ env: { ...WEBHOOK_ENV, MONGODB_URL: database.url, CALL_RING_TIMEOUT_MS: '3000' } });
  receiver = await startReceiver();
  await makeWebhook(server.url, 'all', receiver);
});
afterAll(async () => {
  await server.stop();
  await receiver.close();
  await client.close();
  await database.stop();
});

let ann: Device;
let bob: Device;
beforeEach(async () => {
  receiver.answer = () => 204;
  const accounts = await registerMany(server.url, 2);
  [ann, bob] = (await Promise.all(accounts.map((account) => connect(server.url, account)))) as [Device, Device];
  expect(receiver.faults).toEqual([]);
});

const ofGroup = (id: string) => receiver.received.filter(({ data }) => data.group?._id === id);
const ofUser = (id: string) => receiver.received.filter(({ data }) => data.user?._id === id);
const ofCall = (id: string) => receiver.received.filter(({ data }) => data.call?._id === id);

describe('of a group', () => {
  it('every change is told in order, as the group was then, with reason, actor and users', async () => {
    const { group } = await ann.ok('group:create', { name: 'one', member_ids: [] });
    const group_id = group._id;
    // All at once, so that each must go out before the next one.
    await ann.ok('group:update', { group_id, name: 'two' });
    await ann.ok('group:add_members', { group_id, user_ids: [bob.id] });
    await ann.ok('group:set_admin', { group_id, user_id: bob.id, is_admin: true });
    await ann.ok('group:remove_member', { group_id, user_id: bob.id });
    await ann.ok('group:add_members', { group_id, user_ids: [bob.id] });
    await bob.ok('group:leave', { group_id });
    await ann.ok('group:delete', { group_id });
    const by = (actor: Device, reason: string, members: string[], more: object = {}) => ({
      reason,
      actor_id: actor.id,
      group: expect.objectContaining({ _id: group_id, members, is_active: reason !== 'deleted' }),
      ...more,
    });
    const [alone, both] = [[ann.id], [ann.id, bob.id]];
    const user_ids = [bob.id];
    await eventually(() =>
      expect(ofGroup(group_id).map(({ data }) => data)).toEqual([
        by(ann, 'created', alone),
        by(ann, 'updated', alone),
        by(ann, 'members_added', both, { user_ids }),
        by(ann, 'admins_changed', both, { user_ids }),
        by(ann, 'member_removed', alone, { user_ids }),
        by(ann, 'members_added', both, { user_ids }),
        by(bob, 'member_left', alone, { user_ids }),
        by(ann, 'deleted', alone),
      ]),
    );
    expect(ofGroup(group_id).map(({ data }) => data.group.name)).toEqual(['one', ...Array(7).fill('two')]);
    expect(ofGroup(group_id)[3]!.data.group.admins).toEqual(both);
  });

  it('who joins by an invitation is told as added, by themselves or by who let them in; codes are told nobody', async () => {
    const { group } = await ann.ok('group:create', { name: 'open', member_ids: [] });
    const group_id = group._id;
    const { invite } = await ann.ok('group:invite', { group_id });
    await bob.ok('group:join', { code: invite.code });
    await bob.ok('group:leave', { group_id });
    const { invite: asking } = await ann.ok('group:invite', { group_id, approval: true });
    expect(await bob.ok('group:join', { code: asking.code })).toEqual({ requested: true });
    await ann.ok('group:decide', { group_id, user_id: bob.id, accept: true });
    await ann.ok('group:update', { group_id, permissions: { send: 'admin' }, slow_mode_s: 5 });
    await eventually(() => expect(ofGroup(group_id)).toHaveLength(5));
    const [created, joined, , letIn, updated] = ofGroup(group_id).map(({ data }) => data);
    expect(created.reason).toBe('created');
    expect(joined).toMatchObject({ reason: 'members_added', actor_id: bob.id, user_ids: [bob.id] });
    expect(letIn).toMatchObject({ reason: 'members_added', actor_id: ann.id, user_ids: [bob.id] });
    expect(updated).toMatchObject({ reason: 'updated', group: { permissions: { send: 'admin' }, slow_mode_s: 5 } });
    const all = JSON.stringify(ofGroup(group_id));
    for (const { code } of [invite, asking]) expect(all).not.toContain(code);
    expect(all).not.toMatch(/"invites|"invite_keys|"removed_at/);
  });

  it('changes at once are each told, in the order in which they were made', async () => {
    const { group } = await ann.ok('group:create', { name: 'busy', member_ids: [bob.id] });
    await Promise.all(
      Array.from({ length: 6 }, (_, i) => ann.ok('group:update', { group_id: group._id, name: `name ${i}` })),
    );
    await eventually(() => expect(ofGroup(group._id)).toHaveLength(7));
    const names = ofGroup(group._id).map(({ data }) => data.group.name);
    expect(new Set(names).size).toBe(7);
    expect(names.at(-1)).toBe((await stored.groups.findOne({ name: /^name / }, { sort: { _id: -1 } }))!.name);
  });

  it('a change whose process died right after it is told before the next one', async () => {
    const { group } = await ann.ok('group:create', { name: 'before', member_ids: [bob.id] });
    await eventually(() => expect(ofGroup(group._id)).toHaveLength(1));
    const died = await stored.groups.findOneAndUpdate(
      { name: 'before' },
      {
        $set: {
          name: 'dying',
          pending: {
            id: (await stored.users.findOne())!._id,
            at: new Date(),
            reason: 'updated',
            actor_id: (await stored.users.findOne())!._id,
          },
        },
        $inc: { version: 1 },
      },
    );
    expect(died).not.toBeNull();
    await ann.ok('group:update', { group_id: group._id, name: 'after' });
    await eventually(() =>
      expect(ofGroup(group._id).map(({ data }) => data.group.name)).toEqual(['before', 'dying', 'after']),
    );
  });

  it('a change whose process died is told also where none follows', async () => {
    const { group } = await ann.ok('group:create', { name: 'last words', member_ids: [] });
    await eventually(() => expect(ofGroup(group._id)).toHaveLength(1));
    const { _id } = (await stored.users.findOne())!;
    const pending = { id: _id, at: new Date(), reason: 'updated', actor_id: _id };
    await stored.groups.updateOne({ name: 'last words' }, { $set: { name: 'said', pending }, $inc: { version: 1 } });
    await eventually(() =>
      expect(ofGroup(group._id).map(({ data }) => data.group.name)).toEqual(['last words', 'said']),
    );
    expect(await stored.groups.countDocuments({ pending: { $exists: true } })).toBe(0);
  });
});

describe('of a user', () => {
  it('it is told when one registers, changes and goes, as everybody may see it', async () => {
    const account = await register(server.url, { full_name: 'Eve' });
    const { access_token: token, id } = account;
    await http(server.url, 'PATCH', '/users/me', { token, body: { bio: 'hello' } });
    await http(server.url, 'PATCH', '/users/me', { token, body: { settings: { read_receipts_enabled: false } } });
    const removed = await http(server.url, 'DELETE', '/users/me', { token, body: { password: account.password } });
    expect(removed.status).toBe(204);
    await eventually(() =>
      expect(ofUser(id).map(({ type, data: { user } }) => [type, user.full_name, user.bio, user.is_active])).toEqual([
        ['user.updated', 'Eve', '', true],
        ['user.updated', 'Eve', 'hello', true],
        ['user.updated', null, '', false],
      ]),
    );
    for (const { data } of ofUser(id)) expect(Object.keys(data.user)).not.toContain('email');
  });

  it('it is told of those whom the operator makes, changes and suspends', async () => {
    const asOperator = (method: string, route: string, body?: unknown) =>
      http(server.url, method, `/server/users/${route}`, { token: API_KEY, ...(body === undefined ? {} : { body }) });
    const { json } = await asOperator('PUT', 'ext-1', { full_name: 'Bot', is_bot: true });
    for (const body of [{ full_name: 'Robot' }, { metadata: { secret: true } }]) {
      const changed = await asOperator('PUT', 'ext-1', body);
      expect([changed.status, changed.json]).toEqual([200, expect.anything()]);
    }
    expect((await asOperator('POST', 'ext-1/deactivate')).status).toBe(204);
    await asOperator('POST', 'ext-1/reactivate');
    await eventually(() =>
      expect(ofUser(json.user._id).map(({ data: { user } }) => [user.full_name, user.is_bot, user.is_active])).toEqual([
        ['Bot', true, true],
        ['Robot', true, true],
        ['Robot', true, false],
        ['Robot', true, true],
      ]),
    );
  });
});

describe('of a call', () => {
  it('the end is told, once, whichever end it is', async () => {
    const rejected = (await ann.ok('call:initiate', { recipient_id: bob.id, call_type: 'voice' })).call;
    await bob.ok('call:reject', { call_id: rejected._id });
    const missed = (await ann.ok('call:initiate', { recipient_id: bob.id, call_type: 'video' })).call;
    await eventually(() => expect(ofCall(missed._id)).toHaveLength(1));
    const ended = (await ann.ok('call:initiate', { recipient_id: bob.id, call_type: 'voice' })).call;
    await bob.ok('call:accept', { call_id: ended._id });
    await ann.ok('call:end', { call_id: ended._id });
    await eventually(() => expect(ofCall(ended._id)).toHaveLength(1));
    const told = [rejected, missed, ended].map(({ _id }) =>
      ofCall(_id).map(({ type, data }) => [type, data.call.status]),
    );
    expect(told).toEqual(['rejected', 'missed', 'ended'].map((status) => [['call.ended', status]]));
  });
});

/** The age of what waits for longest, in seconds, as the metrics tell it. */
async function oldestWaiting(): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^letsapp_webhook_oldest_waiting_seconds (\S+)$/m.exec(text)![1]);
}

it('events wait in their order for a receiver that fails, and count as behind', async () => {
  receiver.answer = ({ type }) => (type === 'group.updated' ? 500 : 204);
  const { group } = await ann.ok('group:create', { name: '0', member_ids: [] });
  for (const name of ['1', '2']) await ann.ok('group:update', { group_id: group._id, name });
  await eventually(async () =>
    expect(await webhookNamed(server.url, 'all')).toMatchObject({
      state: 'failing',
      last_error: 'answered 500',
      behind: 3,
    }),
  );
  // Nothing of the group is taken, and its age grows.
  const age = await oldestWaiting();
  expect(age).toBeGreaterThan(0);
  expect(await oldestWaiting()).toBeGreaterThan(age);
  receiver.answer = () => 204;
  await operator(server.url, 'PUT', '/all', { url: receiver.url });
  await eventually(() => {
    const names = ofGroup(group._id).map(({ data }) => data.group.name);
    expect(names.slice(-3)).toEqual(['0', '1', '2']);
    expect(new Set(ofGroup(group._id).map(({ id }) => id)).size).toBe(3);
  });
  await eventually(async () => expect(await webhookNamed(server.url, 'all')).toMatchObject({ state: 'ok', behind: 0 }));
  await eventually(async () => expect(await oldestWaiting()).toBe(0));
});

it('nothing is noted where no webhook exists', async () => {
  await operator(server.url, 'DELETE', '/all');
  const { group } = await ann.ok('group:create', { name: 'quiet', member_ids: [] });
  expect((await stored.groups.findOne({ name: group.name }))!.pending).toBeUndefined();
  expect(await stored.webhook_events.countDocuments()).toBe(0);
  await makeWebhook(server.url, 'all', receiver);
});
