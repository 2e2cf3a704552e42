/** What commands cost at the store, counted on the wire: they are read often, and their cost must not creep up. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect, type Device, registerMany } from '../support/client.ts';
import { startCountedServer } from '../support/counted-server.ts';
import type { CountingProxy } from '../support/counting-proxy.ts';
import { eventually } from '../support/eventually.ts';
import type { TestServer } from '../support/server.ts';

let proxy: CountingProxy;
let server: TestServer;
let stop: () => Promise<void>;

beforeAll(async () => {
  ({ proxy, server, stop } = await startCountedServer());
});
afterAll(() => stop?.());

/** Collections that a node looks at by itself, whatever its users do. */
const OWN = new Set(['jobs', 'nodes', 'sessions', 'clock', 'presence', 'calls']);

/** The commands of an action, each with its collection. What follows some seconds later (settling) is not among them. */
async function cost(action: () => Promise<unknown>): Promise<string[]> {
  proxy.reset();
  await action();
  return proxy
    .commands()
    .filter(({ collection }) => !OWN.has(collection ?? ''))
    .map(({ name, collection }) => `${name} ${collection}`);
}

async function pair(): Promise<{ a: Device; b: Device; toB: object; toA: object }> {
  const [a, b] = await Promise.all((await registerMany(server.url, 2)).map((account) => connect(server.url, account)));
  return { a: a!, b: b!, toB: { recipient_id: b!.id }, toA: { recipient_id: a!.id } };
}

it('a life between two costs two commands for the send, one for the delivery and one for the reading', async () => {
  const { a, b, toA, toB } = await pair();
  let seq = 0;
  // What is looked up the first time is remembered; and what the connections began meanwhile comes to an end.
  await eventually(async () => {
    seq++;
    const send = await cost(() => a.ok('message:send', { ...toB, content: `${seq}` }));
    const delivered = await cost(() => b.ok('message:delivered', { ...toA, up_to_seq: seq }));
    const read = await cost(() => b.ok('message:read', { ...toA, up_to_seq: seq }));
    const again = await cost(() => b.ok('message:read', { ...toA, up_to_seq: seq }));
    expect(send.sort()).toEqual(['insert messages', 'update conversations']);
    expect(delivered).toEqual(['update memberships']);
    expect(read).toEqual(['update memberships']);
    expect(again).toEqual([]);
  });
});

it('a reaction costs three commands, an edit one more, which keeps the earlier text, and a deletion one, which forgets it', async () => {
  const { a, b, toB } = await pair();
  const { message } = await a.ok('message:send', { ...toB, content: 'old' });
  const { _id: message_id } = message;
  await b.ok('message:react', { message_id, emoji: '🎉' });
  const three = ['aggregate messages', 'update messages', 'update conversations'];
  let round = 0;
  await eventually(async () => {
    round++;
    const reacted = await cost(() => b.ok('message:react', { message_id, emoji: '👍' }));
    const taken = await cost(() => b.ok('message:react', { message_id, emoji: '👍', remove: true }));
    const edited = await cost(() => a.ok('message:edit', { message_id, content: `new ${round}` }));
    const keeping = ['aggregate messages', 'update revisions', 'update messages', 'update conversations'];
    expect([reacted, taken, edited]).toEqual([three, three, keeping]);
  });
  expect(await cost(() => a.ok('message:delete', { message_id }))).toEqual([...three, 'delete revisions']);
});

it('typing costs nothing after the first time, in a pair and in a group', async () => {
  const { a, b, toB } = await pair();
  const { group } = await a.ok('group:create', { name: 'Crew', member_ids: [b.id] });
  for (const target of [toB, { group_id: group._id }]) {
    await a.ok('typing:start', target);
    await eventually(async () => {
      const again = await cost(async () => {
        await a.ok('typing:stop', target);
        await a.ok('typing:start', target);
      });
      expect(again).toEqual([]);
    });
  }
});

it('members of a group who deliver, read and react at once share their commands', async () => {
  const accounts = await registerMany(server.url, 40);
  const devices = await Promise.all(accounts.map((account) => connect(server.url, account)));
  const [first, ...others] = devices as [Device, ...Device[]];
  const { group } = await first.ok('group:create', { name: 'Crew', member_ids: accounts.slice(1).map(({ id }) => id) });
  const target = { group_id: group._id };
  const { message } = await first.ok('message:send', { ...target, content: 'one' });
  await Promise.all(others.map((device) => device.ok('message:delivered', { ...target, up_to_seq: 1 })));
  const read = await cost(() =>
    Promise.all(others.map((device) => device.ok('message:read', { ...target, up_to_seq: 1 }))),
  );
  expect(read.length).toBeLessThanOrEqual(10);
  await first.ok('message:react', { message_id: message._id, emoji: '👍' });
  const reacted = await cost(() =>
    Promise.all(others.map((device) => device.ok('message:react', { message_id: message._id, emoji: '👍' }))),
  );
  expect(reacted.length).toBeLessThanOrEqual(30);
  const { messages } = await first.ok('message:history', target);
  expect(messages[0]).toMatchObject({ reactions: [{ user_ids: expect.objectContaining({ length: 40 }) }] });
});
