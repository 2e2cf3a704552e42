import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { createPartitions, PARTITIONS, type Partitions, partitionOf } from '../../server/cluster/partitions.ts';
import { connect, type Database } from '../../server/model/connect.ts';
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
  await connection.collections.partitions.deleteMany({});
  await connection.collections.nodes.deleteMany({});
});

interface TestNode {
  id: string;
  partitions: Partitions;
  /** What it was told last of each partition: since when it is its own, or that it is lost. */
  told: Map<number, Date | undefined | 'lost'>;
  leave(): void;
}

const dead = new Set<string>();

/** @param over an hour of lease, where it is not to end by itself */
async function startNode({ leaseMs = 3_600_000 } = {}): Promise<TestNode> {
  const { collections, clock } = connection;
  const id = randomUUID();
  await collections.nodes.insertOne({ _id: id, machine: 'm', pid: 1, beat: 1, seen_at: clock() });
  const nodes = { id, deadAmong: async (ids: string[]) => ids.filter((one) => dead.has(one)) };
  const partitions = createPartitions({ collections, nodes, clock, log, lookMs: 20, leaseMs });
  onTestFinished(() => partitions.close());
  const told: TestNode['told'] = new Map();
  const leave = partitions.join({
    gained: (from) => void [...from].map(([partition, done]) => told.set(partition, done)),
    lost: (ids) => void ids.map((partition) => told.set(partition, 'lost')),
  });
  return { id, partitions, told, leave };
}

const counts = (nodes: TestNode[]) => nodes.map(({ partitions }) => partitions.owned().length);
const everyOne = Array.from({ length: PARTITIONS }, (_, partition) => partition);
const ownedBy = (nodes: TestNode[]) => nodes.flatMap(({ partitions }) => partitions.owned()).sort((a, b) => a - b);

it('a partition is that of its key for ever, and keys spread over all', () => {
  expect(['a', 'conversation', '0123456789abcdef01234567'].map(partitionOf)).toEqual([12, 6, 5]);
  const found = new Set(Array.from({ length: 500 }, (_, i) => partitionOf(`key ${i}`)));
  expect(found.size).toBe(PARTITIONS);
});

it('a node alone has all partitions, and says so to whoever joins later', async () => {
  const node = await startNode();
  await eventually(() => expect(node.partitions.owned()).toEqual(everyOne));
  expect([...node.told.keys()]).toEqual(everyOne);
  const late: number[] = [];
  node.partitions.join({ gained: (from) => void late.push(...from.keys()), lost: () => {} });
  expect(late).toEqual(everyOne);
});

it('nodes share the partitions, each in one hand, and those that come get theirs', async () => {
  const nodes = [await startNode()];
  await eventually(() => expect(counts(nodes)).toEqual([16]));
  nodes.push(await startNode(), await startNode());
  await eventually(() => {
    expect(Math.max(...counts(nodes))).toBe(6);
    expect(ownedBy(nodes)).toEqual(everyOne);
  });
  expect([...nodes[0]!.told.values()].filter((told) => told === 'lost')).toHaveLength(10);
});

it('what a node leaves, the others take up from where it was', async () => {
  const [first, second] = [await startNode(), await startNode()];
  await eventually(() => expect(counts([first, second])).toEqual([8, 8]));
  const done = new Date(1_000_000);
  const left = first.partitions.owned();
  await first.partitions.noteDone(left, done);
  // Not its own: nothing is noted.
  await first.partitions.noteDone(second.partitions.owned(), done);
  first.leave();
  await eventually(() => expect(counts([first, second])).toEqual([0, 16]));
  for (const partition of everyOne) {
    expect(second.told.get(partition)).toEqual(left.includes(partition) ? done : undefined);
  }
});

it('the partitions of a dead node are taken over although its leases last', async () => {
  const first = await startNode();
  await eventually(() => expect(counts([first])).toEqual([16]));
  const before = await connection.collections.partitions.find().toArray();
  await first.partitions.close();
  // As if it had been killed.
  await connection.collections.partitions.deleteMany({});
  await connection.collections.partitions.insertMany(before);
  await connection.collections.nodes.updateOne({ _id: first.id }, { $set: { shares_work: true } });
  dead.add(first.id);
  const second = await startNode();
  await eventually(() => expect(counts([second])).toEqual([16]));
});

it('a lease that is not renewed ends, for its node as for the others', async () => {
  const { collections, clock } = connection;
  const node = await startNode({ leaseMs: 300 });
  await eventually(() => expect(counts([node])).toEqual([16]));
  const ending = new Date(clock().getTime() + 3_600_000);
  // Another one takes them all at once, as after a long pause.
  await collections.partitions.updateMany({}, { $set: { node: 'another', until: ending } });
  await eventually(() => expect(counts([node])).toEqual([0]));
  expect(new Set(node.told.values())).toEqual(new Set(['lost']));
  await collections.partitions.updateMany({}, { $set: { until: clock() } });
  await eventually(() => expect(counts([node])).toEqual([16]));
});
