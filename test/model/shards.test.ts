/**
 * The store can be divided into shards: every command on the wire names the shards that it needs, by the keys in
 * docs/data.md, but for those that stand there as exceptions; and no unique index is in the way.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { INDEXES } from '../../server/model/indexes.ts';
import { connect, type Device, registerMany, settle } from '../support/client.ts';
import { startCountedServer } from '../support/counted-server.ts';
import type { CountingProxy } from '../support/counting-proxy.ts';
import { eventually } from '../support/eventually.ts';
import type { TestServer } from '../support/server.ts';
import { names, type Routed, routesOf } from './shard-routes.ts';

const section = readFileSync(new URL('../../docs/data.md', import.meta.url), 'utf8')
  .split(/^## /m)
  .find((part) => part.startsWith('Shards\n'))!;

/** The names in the first two columns of the rows below a heading of the table. */
function rowsOf(heading: string): [string[], string[]][] {
  const [, table] = section.split(`| ${heading} |`);
  const [rows] = table!.split('\n\n');
  return [...rows!.matchAll(/^\| (`.+?`) \| (`.+?`) \|/gm)].map(([, first, second]) => [
    quoted(first!),
    quoted(second!),
  ]);
}

const quoted = (text: string) => [...text.matchAll(/`(.+?)`/g)].map(([, name]) => name!);

const keys = new Map(rowsOf('sharded').flatMap(([of, [key]]) => of.map((collection) => [collection, key!])));
const exceptions = rowsOf('asked of all shards').flatMap(([[collection], fields]) =>
  fields.map((field) => ({ collection: collection!, field })),
);

let proxy: CountingProxy;
let server: TestServer;
let stop: () => Promise<void>;

beforeAll(async () => {
  ({ proxy, server, stop } = await startCountedServer());
});
afterAll(() => stop?.());

const routed = (): Routed[] => proxy.commands().flatMap((command) => routesOf(command, keys));
const asText = ({ what, filter, route }: Routed) => `${route}: ${what} ${JSON.stringify(filter)}`;
const mentions = ({ filter }: Routed, field: string) =>
  names(filter, field) || JSON.stringify(filter).includes(`"${field}":`);

/** Commands that would go to all shards for no reason that is written down, and those that would be refused. */
const wrong = () =>
  routed()
    .filter((one) => one.route !== 'named')
    .filter(
      (one) =>
        one.route === 'refused' ||
        !exceptions.some(({ collection, field }) => collection === one.collection && mentions(one, field)),
    )
    .map(asText);

it('no unique index is in the way of a shard key', () => {
  const inTheWay = [...keys].flatMap(([collection, key]) =>
    INDEXES[collection as keyof typeof INDEXES]
      .filter((index) => index.unique && Object.keys(index.key)[0] !== key)
      .map(({ name }) => `${collection}: ${name}`),
  );
  expect(inTheWay).toEqual([]);
  expect(keys.size).toBeGreaterThan(5);
});

it('every command of the hot paths names its shards', async () => {
  const accounts = await registerMany(server.url, 3);
  const [a, b, c] = (await Promise.all(accounts.map((account) => connect(server.url, account)))) as [
    Device,
    Device,
    Device,
  ];
  const { group } = await a.ok('group:create', { name: 'Crew', member_ids: [b.id, c.id] });
  for (const [toOthers, toA] of [
    [{ recipient_id: b.id }, { recipient_id: a.id }],
    [{ group_id: group._id }, { group_id: group._id }],
  ]) {
    const { message } = await a.ok('message:send', {
      ...toOthers,
      content: 'one',
      client_message_id: crypto.randomUUID(),
    });
    const message_id = message._id;
    await a.ok('message:send', { ...toOthers, content: 'two', reply_to: message_id });
    await b.ok('message:delivered', { ...toA, up_to_seq: 1 });
    await b.ok('message:read', { ...toA, up_to_seq: 1 });
    await b.ok('message:react', { message_id, emoji: '👍' });
    await a.ok('message:edit', { message_id, content: 'once', mentions: { user_ids: [b.id] } });
    await b.ok('message:revisions', { message_id });
    await a.ok('message:pin', { message_id, pinned: true });
    await b.ok('message:pinned', toA!);
    await b.ok('message:save', { message_id, saved: true });
    await b.ok('message:saved', {});
    await b.ok('message:mentions', {});
    await b.ok('message:send', { ...toA, forward_of: message_id });
    await b.ok('conversation:update', { ...toA, draft: 'x' });
    const { message: reply } = await b.ok('message:send', { ...toA, content: 'reply', thread_id: message_id });
    await a.ok('message:thread', { message_id });
    await a.ok('thread:read', { message_id, up_to_seq: reply.seq });
    await a.ok('thread:follow', { message_id, following: true });
    await a.ok('thread:list', {});
    await b.ok('message:edit', { message_id: reply._id, content: 'reply', mentions: { user_ids: [a.id] } });
    await b.ok('message:search', { query: 'once' });
    await a.ok('message:delete', { message_id });
    await b.ok('message:history', { ...toA });
    await b.ok('typing:start', toA!);
    await b.ok('conversation:update', { ...toA, pinned: true });
  }
  await b.ok('conversation:list', {});
  const first = await b.ok('sync', { conversations: {} });
  if (first.cursor) await b.ok('sync', { conversations: {}, cursor: first.cursor });
  await b.ok('sync', { conversations: {}, since: first.server_time });
  await settle(a, b, c);
  expect(wrong()).toEqual([]);

  await a.ok('contact:request', { user_id: b.id });
  await b.ok('contact:accept', { user_id: a.id });
  await a.ok('contact:update', { user_id: b.id, notes: 'a friend' });
  await a.ok('contact:list', {});
  await c.ok('contact:request', { user_id: a.id });
  await a.ok('contact:reject', { user_id: c.id });
  await b.ok('contact:block', { user_id: a.id });
  const refusal = await a.refused('message:send', { recipient_id: b.id, content: 'three' });
  expect(refusal.code).toBe('forbidden');
  await b.ok('contact:unblock', { user_id: a.id });
  await b.ok('user:search', { query: a.id });
  await b.ok('presence:set', { status: 'away' });
  await c.ok('group:leave', { group_id: group._id });
  await a.ok('group:add_members', { group_id: group._id, user_ids: [c.id] });
  await a.ok('group:remove_member', { group_id: group._id, user_id: c.id });
  // Stored messages follow the marks some seconds later.
  await eventually(() =>
    expect(routed().filter(({ what }) => what === 'update group_messages').length).toBeGreaterThan(3),
  );
  for (const device of [a, b, c]) device.close();
  expect(wrong()).toEqual([]);
});

it('says which commands would go to all shards, and which would be refused', () => {
  const by = (collection: string, name: string, body: object) =>
    routesOf({ name, collection, body }, keys).map(({ route }) => route);
  const amend = (q: object, how = {}) => by('messages', 'update', { updates: [{ q, u: {}, ...how }] });
  expect(by('messages', 'find', { filter: { _id: 1 } })).toEqual(['all']);
  expect(by('messages', 'find', { filter: { conversation_id: { $gt: 'a' } } })).toEqual(['all']);
  expect(by('messages', 'find', { filter: { $or: [{ conversation_id: 'a' }, { _id: 1 }] } })).toEqual(['all']);
  expect(by('messages', 'find', { filter: { $or: [{ conversation_id: 'a' }, { conversation_id: 'b' }] } })).toEqual([
    'named',
  ]);
  expect(amend({ _id: 1 })).toEqual(['all']);
  expect(amend({ seq: 1 })).toEqual(['refused']);
  expect(amend({ seq: 1 }, { multi: true })).toEqual(['all']);
  expect(amend({ _id: 1 }, { upsert: true })).toEqual(['refused']);
  expect(amend({ _id: 1, conversation_id: 'a' }, { upsert: true })).toEqual(['named']);
  expect(by('contacts', 'findAndModify', { query: { _id: 1 } })).toEqual(['refused']);
  expect(by('contacts', 'delete', { deletes: [{ q: { contact_id: 1 }, limit: 1 }] })).toEqual(['refused']);
  const pipeline = [{ $match: {} }, { $unionWith: { coll: 'messages', pipeline: [{ $match: { seq: 1 } }] } }];
  expect(by('users', 'aggregate', { pipeline })).toEqual(['all']);
  expect(() => by('messages', 'mapReduce', {})).toThrow('mapReduce');
});
