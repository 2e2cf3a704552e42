import { MongoClient } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createJobs, type JobKind, type Jobs } from '../../server/cluster/jobs.ts';
import type { JobDocument } from '../../server/model/documents/cluster.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let client: MongoClient;
let serial = 0;

/** Longer than anything here takes: the clock is moved on instead. */
const LEASE_MS = 600_000;

beforeAll(async () => {
  database = await startDatabase();
  client = await MongoClient.connect(database.url);
});

afterAll(async () => {
  await client.close();
  await database.stop();
});

interface TestNodes {
  nodes: Jobs[];
  /** How many jobs are stored. */
  left(): Promise<number>;
  /** Moves the nodes' clock on, in milliseconds. */
  pass(ms: number): void;
}

/** Several nodes that carry out the same kind of job, in a collection of their own. */
function startNodes(count: number, job: JobKind): TestNodes {
  const jobs = client.db().collection<JobDocument>(`jobs${serial++}`);
  let passed = 0;
  const options = {
    jobs,
    clock: () => new Date(Date.now() + passed),
    log: pino({ level: 'silent' }),
    lookMs: 20,
    leaseMs: LEASE_MS,
    backOffMs: 20,
  };
  const nodes = Array.from({ length: count }, () => createJobs(options));
  for (const node of nodes) node.handle('work', job);
  onTestFinished(async () => {
    await Promise.all(nodes.map((node) => node.close()));
  });
  return {
    nodes,
    left: () => jobs.countDocuments(),
    pass(ms) {
      passed += ms;
    },
  };
}

const names = (done: unknown[]) => done.map(String).sort();

it('each job is done once, by one of the nodes', async () => {
  const done: unknown[] = [];
  const { nodes, left } = startNodes(3, {
    run: async ({ name }) => {
      done.push(name);
    },
  });
  for (let i = 0; i < 20; i++) await nodes[i % 3]!.add('work', `${i}`, { name: i });
  await expect.poll(left).toBe(0);
  expect(names(done)).toEqual(names(Array.from({ length: 20 }, (_, i) => i)));
});

it('of two with the same key, the first stands until it is done', async () => {
  const done: unknown[] = [];
  const { nodes, left, pass } = startNodes(2, {
    run: async ({ name }) => {
      done.push(name);
    },
  });
  const later = new Date(Date.now() + LEASE_MS);
  await Promise.all(nodes.map((node, i) => node.add('work', 'same', { name: `first of ${i}` }, later)));
  await nodes[0]!.add('work', 'same', { name: 'second' });
  pass(LEASE_MS);
  await expect.poll(left).toBe(0);
  expect(done).toHaveLength(1);
  expect(done[0]).toMatch(/^first/);
});

it('is not done before it is due', async () => {
  const done: number[] = [];
  const { nodes } = startNodes(2, {
    run: async () => {
      done.push(Date.now());
    },
  });
  const dueAt = new Date(Date.now() + 300);
  await nodes[0]!.add('work', 'later', {}, dueAt);
  await expect.poll(() => done).toHaveLength(1);
  expect(done[0]).toBeGreaterThanOrEqual(dueAt.getTime());
});

it('is tried again when it fails', async () => {
  let attempts = 0;
  const { nodes, left } = startNodes(2, {
    run: async () => {
      attempts++;
      if (attempts < 3) throw new Error('not yet');
    },
  });
  await nodes[0]!.add('work', 'hard', {});
  await expect.poll(left).toBe(0);
  expect(attempts).toBe(3);
});

it('is taken over when its node does not finish it', async () => {
  let attempts = 0;
  let release = () => {};
  const { nodes, left, pass } = startNodes(2, {
    run: () => {
      attempts++;
      // The first one hangs, like a node that was paused.
      return attempts > 1 ? Promise.resolve() : new Promise((resolve) => (release = resolve));
    },
  });
  onTestFinished(() => release());
  await nodes[0]!.add('work', 'heavy', {});
  await expect.poll(() => attempts).toBe(1);
  pass(LEASE_MS);
  await expect.poll(left).toBe(0);
  expect(attempts).toBe(2);
  release();
});

it('recurs where it is to', async () => {
  let done = 0;
  const { left } = startNodes(3, {
    everyMs: 50,
    run: async () => {
      done++;
    },
  });
  await expect.poll(() => done).toBeGreaterThan(3);
  expect(await left()).toBe(1);
});
