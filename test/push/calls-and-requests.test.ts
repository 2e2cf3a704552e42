/** What is pushed of calls, requests and mentions, and that nothing is lost where a provider is down. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, type Device, http, register } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type FcmStandIn, startFcm } from './support/fcm-stand-in.ts';
import { type HttpStandIn, startHttpStandIn } from './support/http-stand-in.ts';
import { command, personOf, signIn, someoneAway, subscribeAway } from './support/pushed.ts';

const SOON = { timeout: 45_000 };

let service: HttpStandIn;
let fcm: FcmStandIn;
let server: TestServer;
let ann: Device;
const env = () => ({ PUSH_ALLOW_PRIVATE: 'on', CALL_RING_TIMEOUT_MS: '20000', ...fcm.env });
beforeAll(async () => {
  [service, fcm] = await Promise.all([startHttpStandIn(), startFcm()]);
  server = await startServer({ env: env() });
});
afterAll(async () => {
  await server?.stop();
  await service?.close();
  await fcm?.close();
});
beforeEach(async () => {
  ann = await connect(server.url, await register(server.url));
});

describe('a call', () => {
  it('is pushed while it rings, with what is left of that as its time, and its end to whoever was pushed it', async () => {
    const bob = await someoneAway(server.url, service);
    const { call } = await ann.ok('call:initiate', { recipient_id: bob.account.id, call_type: 'video' });
    const expires_at = new Date(Date.parse(call.started_at) + 20_000).toISOString();
    const rings = { type: 'call', call_id: call._id, call_type: 'video', from: personOf(ann), expires_at };
    await expect.poll(bob.pushed, SOON).toEqual([rings]);
    const { headers } = service.received.find(({ path }) => path === bob.path)!;
    expect(Number(headers.ttl)).toBeGreaterThan(0);
    expect(Number(headers.ttl)).toBeLessThanOrEqual(20);
    expect(headers.urgency).toBe('high');
    await ann.ok('call:end', { call_id: call._id });
    await expect.poll(bob.pushed, SOON).toEqual([rings, { type: 'call_over', call_id: call._id, reason: 'cancelled' }]);
  });

  it('that another device answers stops ringing; the one that was connected was not pushed to', async () => {
    const bob = await someoneAway(server.url, service);
    const here = await subscribeAway(server.url, service, await signIn(server.url, bob.account));
    const device = await connect(server.url, here.account);
    const { call } = await ann.ok('call:initiate', { recipient_id: bob.account.id, call_type: 'voice' });
    await expect.poll(bob.pushed, SOON).toHaveLength(1);
    await device.ok('call:accept', { call_id: call._id });
    await expect.poll(bob.pushed, SOON).toMatchObject([{}, { type: 'call_over', reason: 'answered_elsewhere' }]);
    await ann.ok('call:end', { call_id: call._id });
    expect(here.pushed()).toEqual([]);
  });

  it('of a group names the group, and goes to each member who is away', async () => {
    const [bob, cid] = [await someoneAway(server.url, service), await someoneAway(server.url, service)];
    const member_ids = [bob.account.id, cid.account.id];
    const { group } = await ann.ok('group:create', { name: 'Crew', member_ids });
    const { call } = await ann.ok('call:initiate', { group_id: group._id, call_type: 'voice' });
    const named = { group_id: group._id, group_name: 'Crew' };
    for (const { pushed } of [bob, cid]) {
      await expect
        .poll(pushed, SOON)
        .toMatchObject([{ type: 'call', call_id: call._id, from: personOf(ann), ...named }]);
    }
    await command(server.url, cid.account, 'call:reject', { call_id: call._id });
    await expect.poll(cid.pushed, SOON).toMatchObject([{}, { type: 'call_over', reason: 'rejected' }]);
    await ann.ok('call:end', { call_id: call._id });
    await expect.poll(bob.pushed, SOON).toMatchObject([{}, { type: 'call_over', reason: 'cancelled' }]);
  });

  it('that is over before it could be pushed is not', async () => {
    const bob = await someoneAway(server.url, service);
    service.always({ status: 503 });
    const { call } = await ann.ok('call:initiate', { recipient_id: bob.account.id, call_type: 'voice' });
    await expect.poll(() => service.received.some(({ path }) => path === bob.path), SOON).toBe(true);
    await ann.ok('call:end', { call_id: call._id });
    service.always(undefined);
    await ann.ok('message:send', { recipient_id: bob.account.id, content: 'later' });
    await expect.poll(bob.pushed, SOON).toMatchObject([{ type: 'message' }]);
  });
});

it('a contact request is pushed to a session that is away, with who asks', async () => {
  const bob = await someoneAway(server.url, service);
  await ann.ok('contact:request', { user_id: bob.account.id });
  await expect.poll(bob.pushed, SOON).toEqual([{ type: 'contact_request', from: personOf(ann), badge: 0 }]);
});

it('nothing at all is pushed where notifications are off, and no request to a session with a connection', async () => {
  const [bob, cid, witness] = [
    await someoneAway(server.url, service),
    await someoneAway(server.url, service),
    await someoneAway(server.url, service),
  ];
  const body = { settings: { notifications_enabled: false } };
  await http(server.url, 'PATCH', '/users/me', { token: bob.account.access_token, body });
  const device = await connect(server.url, cid.account);
  for (const { account } of [bob, cid, witness]) await ann.ok('contact:request', { user_id: account.id });
  await expect.poll(witness.pushed, SOON).toMatchObject([{ type: 'contact_request' }]);
  const calling = async (by: Device, { account }: Pick<Device, 'account'>) =>
    (await by.ok('call:initiate', { recipient_id: account.id, call_type: 'voice' })).call._id;
  const other = await connect(server.url, await register(server.url));
  const calls = [[ann, await calling(ann, bob)] as const, [other, await calling(other, witness)] as const];
  await expect.poll(witness.pushed, SOON).toMatchObject([{}, { type: 'call' }]);
  for (const [by, call_id] of calls) await by.ok('call:end', { call_id });
  await expect.poll(witness.pushed, SOON).toHaveLength(3);
  expect([bob.pushed(), cid.pushed()]).toEqual([[], []]);
  device.close();
});

it('a mention is pushed also where the conversation is muted, and says so', async () => {
  const bob = await someoneAway(server.url, service);
  const { group } = await ann.ok('group:create', { name: 'Crew', member_ids: [bob.account.id] });
  await ann.ok('message:send', { group_id: group._id, content: 'one' });
  await expect.poll(bob.pushed, SOON).toHaveLength(1);
  const muted_until = new Date(Date.now() + 3_600_000).toISOString();
  await command(server.url, bob.account, 'conversation:update', { group_id: group._id, muted_until });
  await ann.ok('message:send', { group_id: group._id, content: 'two' });
  await ann.ok('message:send', { group_id: group._id, content: 'bob!', mentions: { user_ids: [bob.account.id] } });
  await ann.ok('message:send', { group_id: group._id, content: 'four' });
  await expect.poll(bob.pushed, SOON).toMatchObject([{ seq: 1 }, { seq: 3, mention: true, badge: 0 }]);
  expect(bob.pushed()[0]).not.toHaveProperty('mention');
});

describe('a provider', () => {
  it('that is down delays no other; what waited comes as one push, in the end', async () => {
    const bob = await someoneAway(server.url, service);
    const { account } = bob;
    const subscription = { token: `token-${account.id}` };
    await command(server.url, account, 'push:subscribe', { provider: 'fcm', subscription });
    service.always('hang');
    for (const content of ['one', 'two', 'three']) {
      await ann.ok('message:send', { recipient_id: account.id, content });
    }
    const byFcm = () =>
      fcm.received
        .map(({ body }) => JSON.parse(body.toString()).message)
        .filter(({ token }) => token === subscription.token);
    await expect.poll(() => JSON.parse(byFcm().at(-1)?.data.payload ?? '{}').seq).toBe(3);
    expect(bob.pushed()).toEqual([]);
    service.always(undefined);
    await expect.poll(bob.pushed, { timeout: 40_000 }).toMatchObject([{ seq: 3, unread_count: 3 }]);
  }, 90_000);

  it('that asks to wait is waited for, and one that knows no such device ends the subscription', async () => {
    const bob = await someoneAway(server.url, service);
    service.next({ status: 429, headers: { 'retry-after': '3' } });
    await ann.ok('message:send', { recipient_id: bob.account.id, content: 'one' });
    await expect.poll(bob.pushed, SOON).toHaveLength(1);
    const [first, second] = service.received.filter(({ path }) => path === bob.path);
    expect(second!.at - first!.at).toBeGreaterThan(2900);
    service.next({ status: 410 });
    await ann.ok('message:send', { recipient_id: bob.account.id, content: 'two' });
    await expect
      .poll(async () => (await command(server.url, bob.account, 'push:list', {})).subscriptions, SOON)
      .toEqual([]);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    for (const outcome of ['ok', 'retry', 'gone']) {
      expect(metrics).toMatch(new RegExp(`letsapp_push_total\\{provider="webpush",outcome="${outcome}"\\} [1-9]`));
    }
    expect(metrics).toMatch(/letsapp_push_waiting \d/);
  });
});
