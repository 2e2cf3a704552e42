import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Document } from 'mongodb';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDatabase, stop } from '../differential/harness.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'letsapp-durability-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('after kill -9', () => {
  it('no acknowledged write is lost, indexes match documents, and the restart is immediate', async () => {
    const acknowledged = new Set<number>();
    let next = 0;
    for (let round = 0; round < 3; round++) {
      const { child, url } = await startDatabase(folder);
      const client = new MongoClient(url, { serverSelectionTimeoutMS: 500 });
      const collection = client.db().collection<Document>('docs');
      await collection.createIndex({ n: 1 }, { unique: true });
      const writers = Array.from({ length: 8 }, async () => {
        for (;;) {
          const n = next++;
          await collection.insertOne({ n, text: 'x'.repeat(200) });
          await collection.updateOne({ n }, { $set: { done: true } });
          acknowledged.add(n);
        }
      });
      const ended = Promise.allSettled(writers);
      const target = acknowledged.size + 100;
      await expect.poll(() => acknowledged.size, { timeout: 45_000 }).toBeGreaterThan(target);
      await stop(child, 'SIGKILL');
      await ended;
      await client.close();
    }

    const { child, url } = await startDatabase(folder);
    const client = new MongoClient(url);
    const collection = client.db().collection('docs');
    const byIndex = await collection
      .find({ n: { $gte: 0 } })
      .sort({ n: 1 })
      .toArray();
    const byScan = await collection
      .find({ n: { $gte: 0 } })
      .hint({ $natural: 1 })
      .toArray();
    expect(byIndex).toHaveLength(byScan.length);
    const done = new Set(byIndex.filter((doc) => doc.done).map((doc) => doc.n));
    expect([...acknowledged].filter((n) => !done.has(n))).toEqual([]);
    await client.close();
    await stop(child);
  });
});

describe('a process that ends without closing the database', () => {
  it.each([
    ['exit', 3],
    ['error', 1],
  ])('by %s ends at once with its own exit code, and loses no acknowledged write', async (how, expected) => {
    const program = new URL('abrupt-exit.ts', import.meta.url).pathname;
    const dataDir = join(folder, how);
    const child = spawn(process.execPath, ['--import', 'tsx', program, dataDir, how], { stdio: 'ignore' });
    const [code, signal] = await once(child, 'exit');
    expect([code, signal]).toEqual([expected, null]);
    const { child: again, url } = await startDatabase(dataDir);
    const client = new MongoClient(url);
    expect(await client.db().collection<{ _id: string }>('docs').findOne({ _id: how })).toEqual({ _id: how });
    await client.close();
    await stop(again);
  });
});
