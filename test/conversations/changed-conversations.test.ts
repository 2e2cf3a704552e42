import { ObjectId } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { createPartitions } from '../../server/cluster/partitions.ts';
import {
  type ChangedConversations,
  createChangedConversations,
} from '../../server/conversations/changed-conversations.ts';
import { connect, type Database } from '../../server/model/connect.ts';
import { groupRef } from '../../server/model/conversation-ref.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

const log = pino({ level: 'silent' });
let database: TestDatabase;
let connection: Database;
beforeAll(async () => {
  database = await startDatabase();
  connection = await connect(database.url, log);
});
afterAll(async () => {
  await connection.close();
  await database.stop();
});
beforeEach(async () => {
  const { partitions, nodes, conversations, jobs } = connection.collections;
  await Promise.all([partitions, nodes, conversations, jobs].map((one) => one.deleteMany({} as never)));
});

const dead = new Set<string>();
let serial = 0;

async function startNode() {
  const { collections, clock } = connection;
  const id = `node ${serial++}`;
  await collections.nodes.insertOne({ _id: id, machine: 'm', pid: 1, beat: 1, seen_at: clock() });
  const nodes = { id, deadAmong: async (ids: string[]) => ids.filter((one) => dead.has(one)) };
  const partitions = createPartitions({ collections, nodes, clock, log, lookMs: 20 });
  const jobs: string[] = [];
  const changed = createChangedConversations({
    collections,
    partitions,
    nodes,
    jobs: { add: async (kind, key) => void jobs.push(`${kind} ${key}`) },
    clock,
    log,
    lookMs: 20,
  });
  const close = async () => {
    changed.close();
    await partitions.close();
  };
  onTestFinished(close);
  return { id, partitions, changed, jobs, close };
}

/** Follows, and keeps the highest `rev` that it was told of each. */
function follow(changed: ChangedConversations, since: Date, noted: () => Promise<void> = async () => {}) {
  const revs = new Map<string, number>();
  const following = changed.follow(
    { changed: (found) => void found.map(({ id, rev }) => revs.set(id, rev)), noted },
    since,
  );
  return { revs, following };
}

/** Writes a summary as another node would. @param ago how long before now it says that it changed, in milliseconds */
async function write(rev: number, ago = 0, id = new ObjectId().toHexString()): Promise<string> {
  const at = new Date(connection.clock().getTime() - ago);
  const { kind } = groupRef(id);
  await connection.collections.conversations.updateOne(
    { _id: id },
    { $set: { rev, changed_at: at }, $setOnInsert: { kind, last_seq: 1, activity_at: at, created_at: at } },
    { upsert: true },
  );
  return id;
}

it('tells of what others wrote since, and of each further change', async () => {
  const { changed } = await startNode();
  const old = await write(1, 120_000);
  const { revs } = follow(changed, connection.clock());
  const id = await write(1);
  await eventually(() => expect(revs.get(id)).toBe(1));
  await write(2, 0, id);
  await eventually(() => expect(revs.get(id)).toBe(2));
  expect(revs.has(old)).toBe(false);
});

it('tells at once of what its own node stored, unless another one has the partition', async () => {
  const [one, other] = [await startNode(), await startNode()];
  const told = [one, other].map(({ changed }) => follow(changed, connection.clock()).revs);
  await eventually(() => {
    expect([one, other].map(({ partitions }) => partitions.owned().length)).toEqual([8, 8]);
  });
  const ids = Array.from({ length: 40 }, () => new ObjectId().toHexString());
  for (const id of ids) for (const { changed } of [one, other]) changed.hint(id, 3);
  expect(told.map(({ size }) => size).reduce((a, b) => a + b)).toBe(40);
  expect(Math.min(...told.map(({ size }) => size))).toBeGreaterThan(0);
});

it('finds what is seen later than the time that it carries', async () => {
  const { changed } = await startNode();
  const { revs } = follow(changed, connection.clock());
  const first = await write(1);
  await eventually(() => expect(revs.has(first)).toBe(true));
  const late = await write(1, 1500);
  await eventually(() => expect(revs.has(late)).toBe(true));
});

it('who takes over begins where the one before was sure to have noted all', async () => {
  const one = await startNode();
  let isNoted = false;
  const noted = () => (isNoted ? Promise.resolve() : Promise.reject(new Error('not yet')));
  const since = new Date(connection.clock().getTime() - 300_000);
  const { revs } = follow(one.changed, since, noted);
  const id = await write(5, 200_000);
  await eventually(() => expect(revs.get(id)).toBe(5));
  await one.close();
  const two = await startNode();
  const second = follow(two.changed, since);
  await eventually(() => expect(second.revs.get(id)).toBe(5));
  isNoted = true;
  await eventually(async () => {
    const found = await connection.collections.partitions.find({ done_until: { $exists: true } }).toArray();
    expect(found).toHaveLength(16);
  });
  await two.close();
  const recent = await write(7);
  const three = await startNode();
  const third = follow(three.changed, since);
  await eventually(() => expect(third.revs.get(recent)).toBe(7));
  expect(third.revs.has(id)).toBe(false);
});

it('asks the store nothing while nobody follows', async () => {
  const { changed, partitions, close } = await startNode();
  changed.hint(new ObjectId().toHexString(), 1);
  expect(partitions.owned()).toEqual([]);
  const { following, revs } = follow(changed, connection.clock());
  const id = await write(1);
  await eventually(() => expect(revs.has(id)).toBe(true));
  following.close();
  await eventually(async () => {
    expect(await connection.collections.partitions.countDocuments({ node: null })).toBe(16);
  });
  await close();
});
