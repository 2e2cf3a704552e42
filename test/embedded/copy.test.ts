import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Document, MongoClient } from 'mongodb';
import { expect, it, onTestFinished } from 'vitest';
import { fetchCopy } from '../../server/embedded/copied.ts';
import { startEmbedded } from '../../server/embedded/start.ts';

async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'letsapp-copy-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

async function start(dataDir: string) {
  const { url, close } = await startEmbedded({ dataDir });
  const client = await new MongoClient(url).connect();
  onTestFinished(async () => {
    await client.close();
    await close();
  });
  return { things: client.db().collection('things'), command: (doc: Document) => client.db('admin').command(doc) };
}

it('a copy has all that was acknowledged before, and the database goes on', async () => {
  const dataDir = await folder();
  const { things, command } = await start(dataDir);
  await things.createIndex({ n: 1 }, { unique: true });
  let next = 0;
  let isStopped = false;
  const acknowledged: number[] = [];
  const writers = Array.from({ length: 4 }, async () => {
    while (!isStopped) {
      const n = next++;
      await things.insertOne({ n, text: 'x'.repeat(1000) });
      acknowledged.push(n);
      // Deletions leave free pages, which must not be in the copy.
      if (n % 7 === 0) await things.deleteOne({ n });
    }
  });
  await expect.poll(() => acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(500);
  const before = acknowledged.filter((n) => n % 7 !== 0);
  const target = await folder();
  const database = path.join(target, 'database');
  await mkdir(database);
  await fetchCopy(dataDir, command, database);
  isStopped = true;
  await Promise.all(writers);

  const copy = await start(target);
  const found = new Set((await copy.things.find().toArray()).map(({ n }) => n));
  expect(before.filter((n) => !found.has(n))).toEqual([]);
  expect((await copy.things.indexes()).map(({ name }) => name)).toContain('n_1');
  await copy.things.insertOne({ n: -1 });
  expect(await things.countDocuments()).toBe(acknowledged.filter((n) => n % 7 !== 0).length);
  expect(await readdir(path.join(dataDir, 'database'))).not.toContain('copy');
});

it('of two copies at once one is refused, and the other is whole', async () => {
  const dataDir = await folder();
  const { things, command } = await start(dataDir);
  await things.insertMany(Array.from({ length: 2000 }, (_, n) => ({ n, text: 'x'.repeat(2000) })));
  const results = await Promise.allSettled([command({ copyDatabase: 1 }), command({ copyDatabase: 1 })]);
  // Commands of one connection run one after the other, so both may have had their turn.
  for (const result of results) {
    if (result.status === 'rejected')
      expect(result.reason).toMatchObject({ codeName: 'ConflictingOperationInProgress' });
  }
  expect(results.map(({ status }) => status)).toContain('fulfilled');
  await expect(command({ copyDatabase: 1, to: '/tmp/elsewhere' })).rejects.toThrow(/unknown field/);
});
