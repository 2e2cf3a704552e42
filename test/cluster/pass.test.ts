import { setTimeout } from 'node:timers/promises';
import { MongoClient, ObjectId } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createJobs } from '../../server/cluster/jobs.ts';
import { handlePass } from '../../server/cluster/pass.ts';
import type { JobDocument } from '../../server/model/documents/cluster.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';

interface Thing {
  _id: ObjectId;
  name: string;
  key: string;
}

let database: TestDatabase;
let client: MongoClient;
let serial = 0;
beforeAll(async () => {
  database = await startDatabase();
  client = await MongoClient.connect(database.url);
});
afterAll(async () => {
  await client.close();
  await database.stop();
});

const keyOf = (name: string) => name.toUpperCase();

interface Node {
  /** How many documents it was shown. */
  shown: number;
  close(): Promise<void>;
}

/** A collection of things with wrong keys, and nodes that pass over it. */
async function scene(count: number) {
  const things = client.db().collection<Thing>(`things${serial}`);
  const jobs = client.db().collection<JobDocument>(`jobs${serial++}`);
  let passed = 0;
  const clock = () => new Date(Date.now() + passed);
  await things.insertMany(
    Array.from({ length: count }, (_, i) => ({ _id: new ObjectId(), name: `name ${i}`, key: 'wrong' })),
  );
  await jobs.insertOne({
    _id: 'fold-users:2:1:',
    kind: 'fold-users',
    payload: { round: 1 },
    due_at: clock(),
    attempts: 0,
  });

  /** @param look called with each thing that the node is shown */
  function startNode(look: (thing: Thing) => void = () => {}): Node {
    const working = createJobs({
      jobs,
      clock,
      log: pino({ level: 'silent' }),
      lookMs: 10,
      leaseMs: 500,
      backOffMs: 10,
    });
    const node = { shown: 0, close: working.close };
    handlePass<Thing>({
      jobs: working,
      stepMs: 0,
      clock,
      collection: things,
      name: 'users',
      filter: {},
      projection: { name: 1, key: 1 },
      update(thing) {
        node.shown++;
        look(thing);
        const key = keyOf(thing.name);
        return key === thing.key
          ? undefined
          : { filter: { _id: thing._id, name: thing.name }, update: { $set: { key } } };
      },
    });
    onTestFinished(() => working.close());
    return node;
  }

  return {
    things,
    startNode,
    wrong: async () => (await things.find().toArray()).filter(({ name, key }) => keyOf(name) !== key).length,
    left: async () => (await jobs.find().toArray()).map(({ _id }) => _id),
    pass(ms: number) {
      passed += ms;
    },
  };
}

it('passes over every document twice, an hour apart, and changes only what is wrong', async () => {
  const { startNode, wrong, left, pass, things } = await scene(350);
  const node = startNode();
  await expect.poll(left).toEqual(['fold-users:2:2:']);
  expect([await wrong(), node.shown]).toEqual([0, 350]);
  // As a node of an earlier version would.
  await things.updateOne({ name: 'name 7' }, { $set: { key: 'wrong' } });
  pass(60 * 60_000);
  await expect.poll(left).toEqual([]);
  expect([await wrong(), node.shown]).toEqual([0, 700]);
});

it('goes on where a node stopped, on another one, and leaves out nothing', async () => {
  const { startNode, wrong, left, pass } = await scene(1000);
  let stopped = false;
  const first = startNode(() => {
    if (first.shown < 250) return;
    stopped = true;
    throw new Error('gone in the middle of the third page');
  });
  await expect.poll(() => stopped).toBe(true);
  await first.close();
  expect(await wrong()).toBe(800);
  const second = startNode();
  pass(60_000);
  await expect.poll(wrong).toBe(0);
  await expect.poll(left).toEqual(['fold-users:2:2:']);
  expect(second.shown).toBe(800);
});

it('leaves alone what was changed after it was read', async () => {
  const { startNode, things, left } = await scene(3);
  const renamed: Promise<unknown>[] = [];
  startNode(({ _id }) => {
    // Another node writes between reading and writing; its commands come first.
    renamed.push(things.updateOne({ _id }, { $set: { name: 'new', key: 'NEW' } }));
  });
  await expect.poll(left).toEqual(['fold-users:2:2:']);
  await Promise.all(renamed);
  expect(new Set((await things.find().toArray()).map(({ key }) => key))).toEqual(new Set(['NEW']));
});

it('gives way to others between documents', async () => {
  const { startNode, left } = await scene(100);
  let turns = 0;
  const counting = setInterval(() => turns++, 1);
  onTestFinished(() => clearInterval(counting));
  startNode(() => {
    const until = performance.now() + 6;
    while (performance.now() < until) turns += 0;
  });
  await expect.poll(left).toEqual(['fold-users:2:2:']);
  await setTimeout(1);
  // Without turns for others there would be one or two for each page.
  expect(turns).toBeGreaterThan(50);
});
