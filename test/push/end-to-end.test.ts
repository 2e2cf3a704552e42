/** Every provider through a real server: what it is sent, what becomes of its refusals, and that kills lose nothing. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Account, connect, type Device, register } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { startServerProcess } from '../support/server-process.ts';
import { type ApnsStandIn, startApns } from './support/apns-stand-in.ts';
import { type FcmStandIn, fcmError, startFcm } from './support/fcm-stand-in.ts';
import { type HttpStandIn, startHttpStandIn } from './support/http-stand-in.ts';
import { command, type Pushed, signIn, someoneAway } from './support/pushed.ts';
import type { Script, Scripted } from './support/script.ts';

const SOON = { timeout: 45_000 };
/** Until a request that hangs has gone again, on a busy machine. */
const HUNG = { timeout: 40_000 };
/** Until a dead node's jobs are taken over, on a busy machine. */
const TAKEN_OVER = { timeout: 90_000 };

let service: HttpStandIn;
let fcm: FcmStandIn;
let apns: ApnsStandIn;
let server: TestServer;
let ann: Device;
const env = () => ({ PUSH_ALLOW_PRIVATE: 'on', CALL_RING_TIMEOUT_MS: '20000', ...fcm.env, ...apns.env });
beforeAll(async () => {
  [service, fcm, apns] = await Promise.all([startHttpStandIn(), startFcm(), startApns()]);
  server = await startServer({ env: env() });
});
afterAll(async () => {
  await server?.stop();
  await Promise.all([service?.close(), fcm?.close(), apns?.close()]);
});
beforeEach(async () => {
  ann = await connect(server.url, await register(server.url));
});

interface AwayBy {
  account: Account;
  /** What came for it, answered well or not, in order. */
  received(): Pushed[];
}

async function awayByFcm(url = server.url): Promise<AwayBy> {
  const account = await register(url);
  const token = `token:${account.id}`;
  await command(url, account, 'push:subscribe', { provider: 'fcm', subscription: { token } });
  const received = () =>
    fcm.received
      .map(({ body }) => JSON.parse(body.toString()).message)
      .filter((message) => message.token === token)
      .map(({ data }) => JSON.parse(data.payload));
  return { account, received };
}

const tokensOf = ({ id }: Account) => ({ token: `aa${id}`, voip_token: `bb${id}` });

async function awayByApns(url = server.url): Promise<AwayBy> {
  const account = await register(url);
  await command(url, account, 'push:subscribe', { provider: 'apns', subscription: tokensOf(account) });
  const received = () =>
    apns.received
      .filter(({ headers }) => headers[':path']!.endsWith(account.id))
      .map(({ body: { aps: _aps, ...payload } }) => payload);
  return { account, received };
}

const tell = async ({ account }: Pick<AwayBy, 'account'>) =>
  (await ann.ok('message:send', { recipient_id: account.id, content: 'hello' })).message;

const providers: [string, () => Promise<AwayBy>, () => Script, Scripted][] = [
  ['FCM', awayByFcm, () => fcm, fcmError(404, 'UNREGISTERED')],
  ['APNs', awayByApns, () => apns, { status: 410, body: { reason: 'Unregistered' } }],
];

describe.each(providers)('%s', (_name, away, script, gone) => {
  it('gets the push again after 429, 5xx and a hang, once; its 410 ends the subscription', async () => {
    const bob = await away();
    script().next({ status: 429, headers: { 'retry-after': '2' } }, { status: 503 });
    const first = await tell(bob);
    await expect.poll(() => bob.received().length, SOON).toBe(3);
    for (const payload of bob.received()) {
      expect(payload).toMatchObject({ type: 'message', seq: first.seq, sender: { user_id: ann.id } });
    }
    script().next('hang');
    const second = await tell(bob);
    await expect.poll(() => bob.received().length, HUNG).toBe(5);
    expect(bob.received().slice(3)).toMatchObject([{ seq: second.seq }, { seq: second.seq }]);
    script().next(gone);
    await tell(bob);
    await expect
      .poll(async () => (await command(server.url, bob.account, 'push:list', {})).subscriptions, SOON)
      .toEqual([]);
    expect(bob.received()).toHaveLength(6);
  });

  it('is told of a call and its end, and that a conversation was read elsewhere', async () => {
    const bob = await away();
    const { call } = await ann.ok('call:initiate', { recipient_id: bob.account.id, call_type: 'voice' });
    await expect.poll(() => bob.received().length, SOON).toBe(1);
    await ann.ok('call:end', { call_id: call._id });
    await expect.poll(() => bob.received().length, SOON).toBe(2);
    const { seq } = await tell(bob);
    await expect.poll(() => bob.received().length, SOON).toBe(3);
    const reader = await signIn(server.url, bob.account);
    await command(server.url, reader, 'message:read', { recipient_id: ann.id, up_to_seq: seq });
    await expect.poll(bob.received, SOON).toMatchObject([
      { type: 'call', call_id: call._id, from: { user_id: ann.id } },
      { type: 'call_over', call_id: call._id, reason: 'cancelled' },
      { type: 'message', seq },
      { type: 'read', read_seq: seq, badge: 0 },
    ]);
  });
});

it('APNs gets calls by their own token, their ends by the other, and what is read in the background', async () => {
  const bob = await awayByApns();
  const { call } = await ann.ok('call:initiate', { recipient_id: bob.account.id, call_type: 'video' });
  await expect.poll(() => bob.received().length, SOON).toBe(1);
  await ann.ok('call:end', { call_id: call._id });
  await expect.poll(() => bob.received().length, SOON).toBe(2);
  const { seq } = await tell(bob);
  await expect.poll(() => bob.received().length, SOON).toBe(3);
  const reader = await signIn(server.url, bob.account);
  await command(server.url, reader, 'message:read', { recipient_id: ann.id, up_to_seq: seq });
  await expect.poll(() => bob.received().length, SOON).toBe(4);
  const { token, voip_token } = tokensOf(bob.account);
  const mine = apns.received.filter(({ headers }) => headers[':path']!.endsWith(bob.account.id));
  expect(mine.map(({ headers }) => [headers[':path'], headers['apns-push-type'], headers['apns-priority']])).toEqual([
    [`/3/device/${voip_token}`, 'voip', '10'],
    [`/3/device/${token}`, 'alert', '10'],
    [`/3/device/${token}`, 'alert', '10'],
    [`/3/device/${token}`, 'background', '5'],
  ]);
  expect(mine[2]!.body.aps.badge).toBe(1);
});

it('APNs that takes leave (GOAWAY) loses nothing: the push goes on another session', async () => {
  const bob = await awayByApns();
  await tell(bob);
  await expect.poll(() => bob.received().length, SOON).toBe(1);
  const before = apns.sessions.length;
  apns.onRequest((session, streamId) => {
    apns.onRequest(() => {});
    // It has not looked at this one.
    session.goaway(0, streamId - 2);
    session.destroy();
  });
  const { seq } = await tell(bob);
  await expect.poll(() => bob.received().length, SOON).toBe(3);
  expect(bob.received().at(-1)).toMatchObject({ seq });
  expect(apns.sessions.length).toBeGreaterThan(before);
});

it('a kill leaves each device that is away at least one push with the last message that was acknowledged', async () => {
  const first = await startServerProcess({ env: env() });
  const devices = [await someoneAway(first.url, service), await awayByFcm(first.url), await awayByApns(first.url)];
  const seqs = () =>
    devices.map((one) => ('pushed' in one ? one.pushed() : one.received()).map(({ seq }: { seq: number }) => seq));
  const sender = await connect(first.url, await register(first.url));
  const member_ids = devices.map(({ account }) => account.id);
  const { group } = await sender.ok('group:create', { name: 'Crew', member_ids });
  let last = 0;
  const send = async () => {
    const { message } = await sender.ok('message:send', { group_id: group._id, content: 'hello' });
    last = Math.max(last, message.seq);
  };
  await send();
  for (const i of devices.keys()) await expect.poll(() => seqs()[i]!.at(-1), SOON).toBe(1);
  // Pushes are under way when it is killed.
  for (let i = 0; i < 20; i++) await send();
  await first.kill();
  const second = await startServerProcess({ env: env(), dataDir: first.dataDir });
  for (const i of devices.keys()) await expect.poll(() => seqs()[i]!.at(-1), TAKEN_OVER).toBe(last);
  await second.kill();
}, 200_000);
