/** What is pushed of replies beside the conversation, through a real server and a push service of the test. */
import { type Collection, type Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Message } from '../../shared/contract/documents.ts';
import { connect, type Device, register } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type HttpStandIn, startHttpStandIn } from './support/http-stand-in.ts';
import { type Away, command, signIn, someoneAway, subscribeAway } from './support/pushed.ts';

const SOON = { timeout: 45_000 };
const LATER = { timeout: 40_000 };

let database: TestDatabase;
let client: MongoClient;
let marks: Collection<Document>;
let jobs: Collection<Document>;
let service: HttpStandIn;
let server: TestServer;
beforeAll(async () => {
  [database, service] = await Promise.all([startDatabase(), startHttpStandIn()]);
  client = await new MongoClient(database.url).connect();
  marks = client.db().collection('thread_marks');
  jobs = client.db().collection('push_jobs');
  server = await startServer({ env: { PUSH_ALLOW_PRIVATE: 'on', MONGODB_URL: database.url } });
});
afterAll(async () => {
  await server?.stop();
  await service?.close();
  await client?.close();
  await database?.stop();
});

let ann: Device;
let bob: Away;
let cid: Away;
let target: { group_id: string };
let root: Message;
/** Bob writes the message that the thread hangs on, and reads all there is; Cid has no part in it. */
beforeEach(async () => {
  ann = await connect(server.url, await register(server.url));
  [bob, cid] = await Promise.all([someoneAway(server.url, service), someoneAway(server.url, service)]);
  const member_ids = [bob.account.id, cid.account.id];
  const { group } = await ann.ok('group:create', { name: 'Crew', member_ids });
  target = { group_id: group._id };
  root = await send(bob, { content: 'root' });
  await expect.poll(cid.pushed, SOON).toHaveLength(1);
  await command(server.url, cid.account, 'message:read', { ...target, up_to_seq: 1 });
});

const send = async ({ account }: Away, more: object): Promise<Message> =>
  (await command(server.url, account, 'message:send', { ...target, ...more })).message;
const reply = async (more: object = {}): Promise<Message> =>
  (await ann.ok('message:send', { ...target, content: 'reply', thread_id: root._id, ...more })).message;
/** Resolves when a message was pushed, or passed over, for both. */
async function seenTo({ rev }: Message): Promise<void> {
  const done = { subject: target.group_id, rev: { $gte: rev }, waits_since: { $exists: false } };
  await expect.poll(() => jobs.countDocuments(done), SOON).toBe(2);
}
const seqs = ({ pushed }: Away) => pushed().map(({ seq }) => seq);

describe('a reply beside the conversation', () => {
  it('is pushed with its thread to who follows, and to who is named; counts leave it out', async () => {
    const first = await reply();
    await expect
      .poll(bob.pushed, SOON)
      .toMatchObject([
        { type: 'message', thread_id: root._id, seq: first.seq, rev: first.rev, unread_count: 0, badge: 0 },
      ]);
    const named = await reply({ mentions: { user_ids: [cid.account.id] } });
    await expect
      .poll(() => cid.pushed().at(-1), SOON)
      .toMatchObject({ thread_id: root._id, seq: named.seq, mention: true, unread_count: 0, badge: 0 });
    // From now on Cid follows.
    const further = await reply();
    for (const { pushed } of [bob, cid]) {
      await expect.poll(() => pushed().at(-1), SOON).toMatchObject({ thread_id: root._id, seq: further.seq });
    }
    expect(seqs(cid)).toEqual([1, named.seq, further.seq]);
    const both = await reply({ in_conversation: true });
    for (const { pushed } of [bob, cid]) {
      await expect.poll(() => pushed().at(-1), SOON).toMatchObject({ seq: both.seq, unread_count: 1, badge: 1 });
      expect(pushed().at(-1)).not.toHaveProperty('thread_id');
    }
  });

  it('is pushed neither to who has unfollowed, nor where the conversation is muted, unless it names the user', async () => {
    await command(server.url, bob.account, 'thread:follow', { message_id: root._id, following: false });
    await command(server.url, cid.account, 'thread:follow', { message_id: root._id, following: true });
    const muted_until = new Date(Date.now() + 3_600_000).toISOString();
    await command(server.url, cid.account, 'conversation:update', { ...target, muted_until });
    await seenTo(await reply());
    expect([seqs(bob), seqs(cid)]).toEqual([[], [1]]);
    const everyone = await reply({ mentions: { everyone: true } });
    for (const { pushed } of [bob, cid]) {
      await expect.poll(() => pushed().at(-1), SOON).toMatchObject({ seq: everyone.seq, mention: true });
    }
  });

  it('is not pushed where it was read by then in the thread, on whichever device', async () => {
    service.always({ status: 503 });
    const sent = await reply();
    await expect.poll(() => service.received.some(({ path }) => path === bob.path), SOON).toBe(true);
    const reader = await signIn(server.url, bob.account);
    await command(server.url, reader, 'thread:read', { message_id: root._id, up_to_seq: sent.seq });
    service.always(undefined);
    await seenTo(sent);
    expect(seqs(bob)).toEqual([]);
  });

  it('is pushed to the author of the root also before the mark is stored that says that the author follows', async () => {
    service.always({ status: 503 });
    const { seq } = await reply();
    await marks.deleteMany({ conversation_id: target.group_id });
    service.always(undefined);
    await expect.poll(bob.pushed, SOON).toMatchObject([{ seq, thread_id: root._id }]);
  });

  it('is pushed to a connected session that follows and does not acknowledge it, to no other one', async () => {
    const devices = await Promise.all([bob, cid].map(({ account }) => connect(server.url, account)));
    const { seq, created_at } = await reply();
    await expect.poll(bob.pushed, LATER).toMatchObject([{ seq, thread_id: root._id }]);
    expect(Date.now() - Date.parse(created_at)).toBeGreaterThan(9_000);
    expect(seqs(cid)).toEqual([1]);
    for (const device of devices) device.close();
  });
});

describe('what was pushed of a thread', () => {
  it('is taken away where the thread was read to its end on another device, and the conversation is', async () => {
    const { seq } = await reply();
    await expect.poll(bob.pushed, SOON).toHaveLength(1);
    const reader = await signIn(server.url, bob.account);
    const readThread = () => command(server.url, reader, 'thread:read', { message_id: root._id, up_to_seq: seq });
    expect(await readThread()).toEqual({ unread_count: 0 });
    await expect
      .poll(bob.pushed, SOON)
      .toMatchObject([{ seq }, { type: 'read', conversation_id: target.group_id, badge: 0 }]);
  });

  it('is not taken away from the session that read the thread itself', async () => {
    const other = await subscribeAway(server.url, service, await signIn(server.url, bob.account));
    const { seq } = await reply();
    for (const device of [bob, other]) await expect.poll(device.pushed, SOON).toHaveLength(1);
    await command(server.url, bob.account, 'thread:read', { message_id: root._id, up_to_seq: seq });
    await expect.poll(other.pushed, SOON).toMatchObject([{ seq }, { type: 'read' }]);
    expect(bob.pushed()).toHaveLength(1);
  });

  it('is taken away where the conversation was read over it', async () => {
    const { seq } = await reply();
    await expect.poll(bob.pushed, SOON).toHaveLength(1);
    const reader = await signIn(server.url, bob.account);
    await command(server.url, reader, 'message:read', { ...target, up_to_seq: seq });
    await expect.poll(bob.pushed, SOON).toMatchObject([{ seq }, { type: 'read', read_seq: seq, badge: 0 }]);
  });
});
