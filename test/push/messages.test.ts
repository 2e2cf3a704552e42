/** What is pushed of messages, through a real server and a push service of the test. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, type Device, http, register } from '../support/client.ts';
import { startServer, startServerForTest, type TestServer } from '../support/server.ts';
import { type HttpStandIn, startHttpStandIn } from './support/http-stand-in.ts';
import { type Away, command, personOf, signIn, someoneAway, subscribeAway } from './support/pushed.ts';
import { readVapid } from './support/rfc8291.ts';

/** Until something that is due at once must have been pushed, on a busy machine. */
const SOON = { timeout: 45_000 };
/** Until something that waits for ten seconds must have been. */
const LATER = { timeout: 40_000 };

let service: HttpStandIn;
let server: TestServer;
let ann: Device;
beforeAll(async () => {
  service = await startHttpStandIn();
  server = await startServer({ env: { PUSH_ALLOW_PRIVATE: 'on' } });
});
afterAll(async () => {
  await server?.stop();
  await service?.close();
});
beforeEach(async () => {
  ann = await connect(server.url, await register(server.url, { full_name: 'Ann Lee' }));
});

const tell = async (to: Away, content = 'hello') =>
  (await ann.ok('message:send', { recipient_id: to.account.id, content })).message;
/** A message to somebody else that arrives: everything before it was seen to. */
async function afterwards(): Promise<void> {
  const witness = await someoneAway(server.url, service);
  await tell(witness);
  await expect.poll(witness.pushed, SOON).toHaveLength(1);
}

describe('a message', () => {
  it('is pushed to a session without a connection: who, where and how much, and nothing of what', async () => {
    const bob = await someoneAway(server.url, service);
    const from = await connect(server.url, await register(server.url, { full_name: 'Cid Ray' }));
    const { message } = await from.ok('message:send', { recipient_id: bob.account.id, content: 'a secret' });
    await expect.poll(bob.pushed, SOON).toEqual([
      {
        type: 'message',
        conversation_id: message.conversation_id,
        seq: 1,
        rev: 1,
        sender: { ...personOf(from), full_name: 'Cid Ray' },
        unread_count: 1,
        badge: 1,
      },
    ]);
    const { headers } = service.received.find(({ path }) => path === bob.path)!;
    expect(headers).toMatchObject({ ttl: '2419200', urgency: 'high', topic: expect.stringMatching(/^[\w-]{1,32}$/) });
    const { json } = await http(server.url, 'GET', '/push/vapid');
    expect((await readVapid(headers.authorization!, service.url)).key).toBe(json.public_key);
  });

  it('goes to each subscription of each session that is away, and not to its sender', async () => {
    const bob = await someoneAway(server.url, service);
    const second = await subscribeAway(server.url, service, await signIn(server.url, bob.account));
    const third = await subscribeAway(server.url, service, second.account);
    const account = await register(server.url);
    const own = await subscribeAway(server.url, service, account);
    await command(server.url, account, 'message:send', { recipient_id: bob.account.id, content: 'hello' });
    for (const device of [bob, second, third]) await expect.poll(device.pushed, SOON).toHaveLength(1);
    expect(own.pushed()).toEqual([]);
  });

  it('in a group names the group, and counts what is unread', async () => {
    const bob = await someoneAway(server.url, service);
    const device = await connect(server.url, await register(server.url));
    const { group } = await device.ok('group:create', { name: 'Crew', member_ids: [bob.account.id] });
    await device.ok('message:send', { group_id: group._id, content: 'one' });
    await expect.poll(bob.pushed, SOON).toHaveLength(1);
    await device.ok('message:send', { group_id: group._id, content: 'two' });
    await device.ok('message:send', { recipient_id: bob.account.id, content: 'three' });
    await expect
      .poll(bob.pushed, SOON)
      .toEqual(
        expect.arrayContaining([
          expect.objectContaining({ conversation_id: group._id, group_name: 'Crew', seq: 2, unread_count: 2 }),
          expect.objectContaining({ seq: 1, unread_count: 1, badge: 2 }),
        ]),
      );
  });

  it('pushes nothing more when it is edited or reacted to', async () => {
    const bob = await someoneAway(server.url, service);
    const { _id } = await tell(bob);
    await expect.poll(bob.pushed, SOON).toHaveLength(1);
    await ann.ok('message:edit', { message_id: _id, content: 'hello again' });
    await ann.ok('message:react', { message_id: _id, emoji: '👍' });
    await afterwards();
    expect(bob.pushed()).toHaveLength(1);
  });

  it('that was sent before a subscription is not pushed to it, whatever changes afterwards', async () => {
    const account = await register(server.url);
    const { message } = await ann.ok('message:send', { recipient_id: account.id, content: 'before' });
    // By more than the clocks of nodes may differ.
    await new Promise((resolve) => setTimeout(resolve, 150));
    const bob = await subscribeAway(server.url, service, account);
    await ann.ok('message:react', { message_id: message._id, emoji: '👍' });
    await afterwards();
    expect(bob.pushed()).toEqual([]);
  });

  it('is pushed to a connected session that has not itself acknowledged it within ten seconds, and only to that', async () => {
    const account = await register(server.url);
    const silent = await subscribeAway(server.url, service, account);
    const silentDevice = await connect(server.url, account);
    const attentive = await subscribeAway(server.url, service, await signIn(server.url, account));
    const device = await connect(server.url, attentive.account);
    const away = await subscribeAway(server.url, service, await signIn(server.url, account));
    const began = performance.now();
    const { seq } = await tell(silent);
    await device.next('message:new');
    await device.ok('message:delivered', { recipient_id: ann.id, up_to_seq: seq });
    await expect.poll(away.pushed, SOON).toHaveLength(1);
    expect(silent.pushed()).toEqual([]);
    await expect.poll(silent.pushed, LATER).toMatchObject([{ type: 'message', seq }]);
    expect(service.received.find(({ path }) => path === silent.path)!.at - began).toBeGreaterThan(9_000);
    await afterwards();
    expect(attentive.pushed()).toEqual([]);
    expect(away.pushed()).toHaveLength(1);
    silentDevice.close();
    device.close();
  }, 60_000);
});

describe('a message is not pushed', () => {
  const refused: [string, (bob: Away) => Promise<unknown>][] = [
    [
      'where the conversation is muted',
      (bob) =>
        command(server.url, bob.account, 'conversation:update', {
          recipient_id: ann.id,
          muted_until: new Date(Date.now() + 3_600_000).toISOString(),
        }),
    ],
    [
      'where notifications are off',
      (bob) =>
        http(server.url, 'PATCH', '/users/me', {
          token: bob.account.access_token,
          body: { settings: { notifications_enabled: false } },
        }),
    ],
    [
      'that was read by then',
      (bob) => command(server.url, bob.account, 'message:read', { recipient_id: ann.id, up_to_seq: 1 }),
    ],
    ['that was deleted by then', () => ann.ok('message:delete', { message_id: lastId })],
    ['across a block', (bob) => command(server.url, bob.account, 'contact:block', { user_id: ann.id })],
    [
      'to a session that has ended',
      (bob) => http(server.url, 'POST', '/auth/logout', { token: bob.account.access_token }),
    ],
  ];
  let lastId = '';

  it.each(refused)('%s, all of it looked at when the push goes out', async (_what, change) => {
    const bob = await someoneAway(server.url, service);
    // The push service is away when the message comes, so that it waits.
    const blocker = await someoneAway(server.url, service);
    service.always({ status: 503 });
    lastId = (await tell(bob))._id;
    await expect.poll(() => service.received.some(({ path }) => path === bob.path), SOON).toBe(true);
    await change(bob);
    service.always(undefined);
    await tell(blocker);
    await expect.poll(blocker.pushed, SOON).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(bob.pushed()).toEqual([]);
  });

  it('by someone whom a block lies between, in a common group either', async () => {
    const bob = await someoneAway(server.url, service);
    const cid = await connect(server.url, await register(server.url));
    const member_ids = [bob.account.id, cid.id];
    const { group } = await ann.ok('group:create', { name: 'Crew', member_ids });
    await command(server.url, bob.account, 'contact:block', { user_id: cid.id });
    await ann.ok('message:send', { group_id: group._id, content: 'first' });
    await cid.ok('message:send', { group_id: group._id, content: 'second' });
    await expect.poll(bob.pushed, SOON).toMatchObject([{ seq: 1, sender: { user_id: ann.id } }]);
    await cid.ok('message:send', { group_id: group._id, content: 'third' });
    await afterwards();
    expect(bob.pushed()).toHaveLength(1);
  });

  it('to someone who has left the group', async () => {
    const bob = await someoneAway(server.url, service);
    const { group } = await ann.ok('group:create', { name: 'Crew', member_ids: [bob.account.id] });
    await command(server.url, bob.account, 'group:leave', { group_id: group._id });
    await ann.ok('message:send', { group_id: group._id, content: 'without you' });
    await afterwards();
    expect(bob.pushed()).toEqual([]);
  });
});

describe('what was pushed', () => {
  it('is taken away where the conversation was read to its end on another device', async () => {
    const bob = await someoneAway(server.url, service);
    const { conversation_id, seq } = await tell(bob);
    await expect.poll(bob.pushed, SOON).toHaveLength(1);
    const reader = await signIn(server.url, bob.account);
    await command(server.url, reader, 'message:read', { recipient_id: ann.id, up_to_seq: seq });
    await expect.poll(bob.pushed, SOON).toMatchObject([{}, { type: 'read', conversation_id, read_seq: seq, badge: 0 }]);
    const [message, read] = service.received.filter(({ path }) => path === bob.path);
    expect(read!.headers).toMatchObject({ urgency: 'low', topic: message!.headers.topic });
  });

  it('is not taken away from the session that read it itself, nor where nothing was pushed', async () => {
    const bob = await someoneAway(server.url, service);
    const { seq } = await tell(bob);
    await expect.poll(bob.pushed, SOON).toHaveLength(1);
    const other = await subscribeAway(server.url, service, await signIn(server.url, bob.account));
    await command(server.url, bob.account, 'message:read', { recipient_id: ann.id, up_to_seq: seq });
    await afterwards();
    expect(bob.pushed()).toHaveLength(1);
    expect(other.pushed()).toEqual([]);
  });
});

describe('a preview', () => {
  it('is the first 200 characters, where it is set and there is a text; with all the longest a payload fits 3 KiB', async () => {
    const env = { PUSH_ALLOW_PRIVATE: 'on', PUSH_PREVIEW: 'on' };
    const { url } = await startServerForTest({ env });
    const from = await connect(
      url,
      await register(url, { username: `x${'y'.repeat(31)}`, full_name: '𝔄'.repeat(100) }),
    );
    const bob = await someoneAway(url, service);
    const { group } = await from.ok('group:create', { name: '𝔅'.repeat(100), member_ids: [bob.account.id] });
    const { message: root } = await from.ok('message:send', { group_id: group._id, content: 'root' });
    const content = `${'\u0001'.repeat(150)}${'𝔠'.repeat(100)}`;
    const more = { thread_id: root._id, mentions: { user_ids: [bob.account.id] } };
    const { message } = await from.ok('message:send', { group_id: group._id, content, ...more });
    await expect.poll(() => bob.pushed().at(-1), SOON).toMatchObject({ seq: message.seq, mention: true });
    const payload = bob.pushed().at(-1);
    expect(payload.thread_id).toBe(root._id);
    expect(payload.preview).toBe([...content].slice(0, 200).join(''));
    expect(Buffer.byteLength(JSON.stringify(payload))).toBeLessThanOrEqual(3072);
  });
});
