import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { ObjectId } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmbedded } from '../../server/embedded/start.ts';
import { connect, type Database } from '../../server/model/connect.ts';
import { createMortalProcess, type Death, type MortalProcess } from './mortal-process.ts';

const QUOTA = 100;
let database: Database;
let close: () => Promise<void>;

beforeAll(async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'letsapp-quota-'));
  const embedded = await startEmbedded({ dataDir: directory });
  database = await connect(embedded.url, pino({ level: 'silent' }));
  close = async () => {
    await database.close();
    await embedded.close();
    await rm(directory, { recursive: true });
  };
});
afterAll(() => close());

const start = (death?: Death) => createMortalProcess(database.collections, QUOTA, death);

/** What the user's files hold together. */
async function stored(userId: ObjectId): Promise<number> {
  const files = await database.collections.files.find({ uploader_id: userId, is_deleted: false }).toArray();
  return files.reduce((sum, { file_size }) => sum + file_size, 0);
}

async function counted(userId: ObjectId): Promise<number> {
  return (await database.collections.upload_usage.findOne({ _id: userId }))!.bytes;
}

interface Step {
  kind: 'post' | 'resumable' | 'terminated' | 'removed';
  /** Bytes. */
  size: number;
}

async function carryOut(process: MortalProcess, userId: ObjectId, { kind, size }: Step): Promise<unknown> {
  if (kind === 'post') return process.post(userId, size);
  if (kind === 'removed') return process.remove(userId, await process.post(userId, size));
  const upload = await process.begin(userId, size);
  return kind === 'terminated' ? process.terminate(upload) : process.finish(userId, upload, size);
}

/** What some steps come to, of a process that may die in one of them. */
async function outcome(process: MortalProcess, steps: Promise<unknown>): Promise<string> {
  const done = steps.then(
    () => 'done',
    (error) => (error as { code?: string }).code ?? String(error),
  );
  return Promise.race([done, process.died.then(() => 'died')]);
}

describe("a user's quota", () => {
  it('is never exceeded, and used up to the last byte, by uploads on two nodes at once', async () => {
    const userId = new ObjectId();
    const nodes = [start(), start()];
    const uploads = Array.from({ length: 30 }, (_, i) => {
      const node = nodes[i % 2]!;
      return outcome(node, i % 3 === 0 ? node.begin(userId, 10) : node.post(userId, 10));
    });
    const outcomes = await Promise.all(uploads);
    expect(outcomes.filter((one) => one === 'done')).toHaveLength(10);
    expect(new Set(outcomes)).toEqual(new Set(['done', 'payload_too_large']));
    expect(await counted(userId)).toBe(QUOTA);
  });

  it('has room again at once for what was deleted or terminated, on the other node too', async () => {
    const userId = new ObjectId();
    const [one, other] = [start(), start()];
    const [file, upload] = [await one.post(userId, 60), await other.begin(userId, 40)];
    await expect(one.post(userId, 1)).rejects.toMatchObject({
      code: 'payload_too_large',
      details: [{ path: 'quota' }],
    });
    await other.terminate(upload);
    await one.remove(userId, file);
    await Promise.all([one.remove(userId, file), other.remove(userId, file)]);
    await other.post(userId, QUOTA);
    await expect(one.begin(userId, 1)).rejects.toMatchObject({ code: 'payload_too_large' });
  });

  it('counts what was stored before there was a quota', async () => {
    const userId = new ObjectId();
    await start().post(userId, 70);
    await database.collections.upload_usage.deleteOne({ _id: userId });
    const later = start();
    await expect(later.post(userId, 31)).rejects.toMatchObject({ code: 'payload_too_large' });
    await later.post(userId, 30);
  });

  it('counts a finished resumable upload by its size, not twice and not by what was announced', async () => {
    const userId = new ObjectId();
    const process = start();
    const upload = await process.begin(userId, 80);
    await process.finish(userId, upload, 50);
    expect(await counted(userId)).toBe(50);
    const grown = await process.begin(userId, 10);
    await process.finish(userId, grown, 20);
    expect(await counted(userId)).toBe(70);
    const tooLarge = await process.begin(userId, 10);
    await expect(process.finish(userId, tooLarge, 31)).rejects.toMatchObject({ code: 'payload_too_large' });
    await process.terminate(tooLarge);
    expect(await counted(userId)).toBe(70);
  });

  it('survives a process that dies between any two writes, while others go on', async () => {
    const step = fc.record({
      kind: fc.constantFrom<Step['kind']>('post', 'resumable', 'terminated', 'removed'),
      size: fc.integer({ min: 2, max: 60 }),
    });
    const death = fc.record({ atWrite: fc.integer({ min: 1, max: 40 }), isWritten: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 6 }), fc.array(step, { maxLength: 6 }), death, async (a, b, end) => {
        const userId = new ObjectId();
        const [mortal, other] = [start(end), start()];
        const outcomes = await Promise.all([
          ...a.map((one) => outcome(mortal, carryOut(mortal, userId, one))),
          ...b.map((one) => outcome(other, carryOut(other, userId, one))),
        ]);
        expect(outcomes.filter((one) => !['done', 'died', 'payload_too_large'].includes(one))).toEqual([]);
        await mortal.settled();
        const held = await stored(userId);
        expect(held).toBeLessThanOrEqual(QUOTA);
        // What can be continued counts on; here it is given up.
        const living = start();
        for (const id of await unfinished(userId)) await living.terminate(id);
        if (held < QUOTA) await living.post(userId, QUOTA - held);
        expect(await outcome(living, living.post(userId, 2))).toBe('payload_too_large');
        expect(await stored(userId)).toBe(QUOTA);
      }),
      { numRuns: 40 },
    );
  });
});

it.each(['files', 'media', 'pending_uploads'] as const)('%s are recounted along an index', async (name) => {
  const filter = { uploader_id: new ObjectId(), ...(name === 'pending_uploads' ? {} : { is_deleted: false }) };
  const plan = await database.db.collection(name).find(filter).explain('queryPlanner');
  expect(JSON.stringify(plan.queryPlanner.winningPlan)).toContain('"indexName":"uploader"');
});

/** The resumable uploads that a user may continue. */
async function unfinished(userId: ObjectId): Promise<ObjectId[]> {
  const { pending_uploads, files } = database.collections;
  const alive = { uploader_id: userId, resumable: { $exists: true }, abandoned: { $exists: false } };
  const ids = (await pending_uploads.find(alive).toArray()).map(({ _id }) => _id);
  const finished = (await files.find({ _id: { $in: ids } }).toArray()).map(({ _id }) => _id.toHexString());
  return ids.filter((id) => !finished.includes(id.toHexString()));
}
