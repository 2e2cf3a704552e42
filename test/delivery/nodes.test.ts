import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, connectPair, type Device, http, registerMany, settle } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';

let cluster: Cluster;
let one: string;
let two: string;

beforeAll(async () => {
  cluster = await startCluster(2);
  [one, two] = cluster.urls as [string, string];
});

afterAll(() => cluster.stop());

/** Two users, each connected to another node. */
const apart = () => connectPair(one, two);

const contents = (device: Device) => device.seen('message:new').map(({ message }) => message.content);

describe('two nodes', () => {
  it("deliver a message on the other node: to the recipient and to the sender's other devices", async () => {
    const [a, b] = await apart();
    const second = await connect(two, a.account);
    const { message } = await a.ok('message:send', { recipient_id: b.id, content: 'hello' });
    expect((await b.next('message:new')).message).toEqual(message);
    expect((await second.next('message:new')).message).toEqual(message);
    await settle(a, b, second);
    expect(a.seen('message:new')).toEqual([]);
    expect(b.seen('message:new')).toHaveLength(1);
  });

  it('show everybody the same order when both write at the same time', async () => {
    const [a, b] = await apart();
    const watchers = [await connect(one, b.account), await connect(two, a.account)];
    const sends = Array.from({ length: 40 }, (_, i) => {
      const [from, to] = i % 2 ? [a, b] : [b, a];
      return from.ok('message:send', { recipient_id: to.id, content: `m${i}` });
    });
    await Promise.all(sends);
    for (const watcher of watchers) {
      await watcher.next('message:new', ({ message }) => message.seq === 40);
      const seqs = watcher.seen('message:new').map(({ message }) => message.seq);
      expect(seqs).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    }
  });

  it('tell marks that only grow while devices of one reader on both nodes set them at once', async () => {
    const [a, b] = await apart();
    const second = await connect(one, b.account);
    const count = 30;
    for (let i = 0; i < count; i++) await a.ok('message:send', { recipient_id: b.id, content: `m${i}` });
    // A few at a time: a busy machine has no time for all of them before the first is refused as too late.
    for (let from = 1; from <= count; from += 5) {
      await Promise.all(
        Array.from({ length: 5 }, async (_, i) => {
          await b.ok('message:delivered', { recipient_id: a.id, up_to_seq: from + i });
          await second.ok('message:read', { recipient_id: a.id, up_to_seq: from + i });
        }),
      );
    }
    await a.next('message:status', ({ read_seq }) => read_seq === count);
    await settle(a, b, second);
    const told = a.seen('message:status');
    const sorted = (marks: number[]) => [...marks].sort((one, other) => one - other);
    const delivered = told.map(({ delivered_seq }) => delivered_seq);
    const read = told.map(({ read_seq }) => read_seq);
    expect(delivered).toEqual(sorted(delivered));
    expect(read).toEqual(sorted(read));
  });

  it('carry edits, reactions and receipts', async () => {
    const [a, b] = await apart();
    const { message } = await a.ok('message:send', { recipient_id: b.id, content: 'first' });
    await b.next('message:new');
    await b.ok('message:react', { message_id: message._id, emoji: '👍' });
    await a.next('message:updated', ({ message: { reactions } }) => reactions?.[0]?.emoji === '👍');
    await a.ok('message:edit', { message_id: message._id, content: 'second' });
    await b.next('message:updated', ({ message: { content } }) => content === 'second');
    await b.ok('message:read', { recipient_id: a.id, up_to_seq: 1 });
    const status = await a.next('message:status', ({ read_seq }) => read_seq === 1);
    expect(status.user_id).toBe(b.id);
  });

  it('give a new member what is sent from then on, whichever node the member is on', async () => {
    const [admin, member, late] = await registerMany(one, 3);
    const a = await connect(one, admin!);
    const m = await connect(two, member!);
    const l = await connect(two, late!);
    const { group } = await a.ok('group:create', { name: 'g', member_ids: [m.id] });
    await a.ok('message:send', { group_id: group._id, content: 'before' });
    await m.next('message:new', ({ message }) => message.content === 'before');
    await a.ok('group:add_members', { group_id: group._id, user_ids: [l.id] });
    await a.ok('message:send', { group_id: group._id, content: 'after' });
    await l.next('message:new', ({ message }) => message.content === 'after');
    await a.ok('group:remove_member', { group_id: group._id, user_id: m.id });
    await a.ok('message:send', { group_id: group._id, content: 'without m' });
    await l.next('message:new', ({ message }) => message.content === 'without m');
    await settle(m, l);
    expect(contents(m)).toEqual(['before', 'after']);
    expect(contents(l)).toEqual(['after', 'without m']);
  });

  it('show a connection everything that was sent since it came, and nothing from before', async () => {
    const [a, b] = await apart();
    b.close();
    for (let i = 0; i < 3; i++) await a.ok('message:send', { recipient_id: b.id, content: `away ${i}` });
    const back = await connect(two, b.account);
    await a.ok('message:send', { recipient_id: b.id, content: 'back' });
    await back.next('message:new', ({ message }) => message.content === 'back');
    back.close();
    await a.ok('message:send', { recipient_id: b.id, content: 'away again' });
    const again = await connect(two, b.account);
    await a.ok('message:send', { recipient_id: b.id, content: 'back again' });
    await again.next('message:new', ({ message }) => message.content === 'back again');
    expect(contents(back)).toEqual(['back']);
    expect(contents(again)).toEqual(['back again']);
  });

  it('answer a repeat through the other node with the first message, and tell nobody', async () => {
    const [a, b] = await apart();
    const elsewhere = await connect(two, a.account);
    const payload = { recipient_id: b.id, content: 'once', client_message_id: 'c1' };
    const [first, second] = await Promise.all([a.ok('message:send', payload), elsewhere.ok('message:send', payload)]);
    expect(second.message._id).toBe(first.message._id);
    await b.next('message:new');
    await settle(a, b, elsewhere);
    expect(b.seen('message:new')).toHaveLength(1);
  });

  it('carry typing, and end a session on the other node', async () => {
    const [a, b] = await apart();
    const elsewhere = await connect(two, a.account);
    await a.ok('typing:start', { recipient_id: b.id });
    await b.next('typing', ({ is_typing }) => is_typing);
    await http(one, 'POST', '/auth/logout', { token: a.account.access_token });
    await elsewhere.next('session:revoked');
  });

  it('end the typing of a member whom somebody on the other node removes', async () => {
    const [a, b] = await apart();
    const { group } = await a.ok('group:create', { name: 'G', member_ids: [b.id] });
    await b.next('group:updated');
    await b.ok('typing:start', { group_id: group._id });
    const start = await a.next('typing', ({ is_typing }) => is_typing);
    const startedAt = a.events.find(({ payload }) => payload === start)!.at;
    await a.ok('group:remove_member', { group_id: group._id, user_id: b.id });
    const end = await a.next('typing', ({ is_typing }) => !is_typing, 30_000);
    // By itself it would end after 6 s.
    expect(a.events.find(({ payload }) => payload === end)!.at - startedAt).toBeLessThan(5500);
  });

  it('carry a call and its signals between the devices', async () => {
    const [a, b] = await apart();
    const { call } = await a.ok('call:initiate', { recipient_id: b.id, call_type: 'voice' });
    await b.next('call:incoming', (incoming) => incoming.call._id === call._id);
    await b.ok('call:accept', { call_id: call._id });
    await a.next('call:updated', ({ reason }) => reason === 'accepted');
    await a.ok('call:signal', { call_id: call._id, to_user_id: b.id, signal: { sdp: 'offer' } });
    expect((await b.next('call:signal')).signal).toEqual({ sdp: 'offer' });
    await b.ok('call:end', { call_id: call._id });
    await a.next('call:updated', ({ reason }) => reason === 'left' || reason === 'ended');
  });
});
