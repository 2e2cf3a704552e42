/** What the store itself takes. */
import { MongoClient } from 'mongodb';
import { median } from './measurement.ts';

/** @returns milliseconds of one insertion, acknowledged when it is durable; the median of many, one by one */
export async function durableCommit(databaseUrl: string, commits = 300): Promise<number> {
  const client = await new MongoClient(databaseUrl, { writeConcern: { w: 'majority' } }).connect();
  const scratch = client.db().collection('bench_commits');
  const times: number[] = [];
  for (let i = 0; i < commits; i++) {
    const startedAt = performance.now();
    await scratch.insertOne({ content: 'x'.repeat(200), at: new Date() });
    times.push(performance.now() - startedAt);
  }
  await scratch.drop();
  await client.close();
  return median(times);
}
