import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openStorage, type Storage } from '../../server/embedded/storage/storage.ts';
import { startDatabase, stop } from '../differential/harness.ts';
import { smallDiskForTest } from '../support/small-disk.ts';

const MIB = 1024 * 1024;
const REFUSED = { code: 14031, codeName: 'OutOfDiskSpace' };

/** Numbered values, and which of them were acknowledged. */
class Numbers {
  readonly acknowledged = new Set<number>();
  #next = 0;

  /** Writes a number with a value of so many bytes. */
  async write(storage: Storage, size: number): Promise<void> {
    const number = this.#next++;
    await storage.write(() => storage.put(key(number), Buffer.alloc(size, number)));
    this.acknowledged.add(number);
  }

  /** Writes a number, or is refused because the disk is full. */
  async writeOrRefused(storage: Storage, size: number): Promise<void> {
    await this.write(storage, size).catch((error) => expect(error).toMatchObject(REFUSED));
  }

  /** Writes until that is refused. */
  async writeAll(storage: Storage, size: number): Promise<void> {
    const upTo = this.#next + 100_000;
    const writers = Array.from({ length: 4 }, async () => {
      while (this.#next < upTo) await this.write(storage, size);
    });
    for (const { status, reason } of (await Promise.allSettled(writers)) as PromiseRejectedResult[]) {
      expect(status).toBe('rejected');
      expect(reason).toMatchObject(REFUSED);
    }
  }

  /** What is there is what was acknowledged. */
  expectIn(storage: Storage): void {
    const found = Array.from({ length: this.#next }, (_, number) => number).filter((number) =>
      storage.has(key(number)),
    );
    expect(found).toEqual([...this.acknowledged].sort((a, b) => a - b));
    for (const number of found) expect(storage.get(key(number))![0]).toBe(number % 256);
  }
}
const key = (number: number) => Buffer.from(`number ${number}`);

/** Opens a storage that tells whether it refuses writes. */
function open(folder: string) {
  const reasons: (string | undefined)[] = [];
  const storage = openStorage(folder, { onRefusing: (reason) => reasons.push(reason), checkpointMs: 500 });
  return { storage, reasons };
}

describe('on a full disk', () => {
  it('writes that do not fit into the log are refused and undone; reads go on; with room, writes come back', async () => {
    const disk = smallDiskForTest(16 * MIB);
    const folder = join(disk.folder, 'database');
    const { storage, reasons } = open(folder);
    const numbers = new Numbers();
    for (let n = 0; n < 50; n++) await numbers.write(storage, 1000);
    await disk.leave(0);
    await numbers.writeAll(storage, 60_000);
    expect(reasons).toHaveLength(1);
    await expect(storage.write(() => {})).rejects.toMatchObject(REFUSED);
    numbers.expectIn(storage);
    await disk.empty();
    await expect.poll(() => reasons).toEqual([expect.any(String), undefined]);
    for (let n = 0; n < 50; n++) await numbers.write(storage, 1000);
    numbers.expectIn(storage);
    await storage.close();
    const again = openStorage(folder);
    numbers.expectIn(again);
    await again.close();
  });

  it('a checkpoint that does not fit loses nothing, and is made when there is room', async () => {
    const disk = smallDiskForTest(16 * MIB);
    const folder = join(disk.folder, 'database');
    const { storage, reasons } = open(folder);
    const numbers = new Numbers();
    await disk.leave(0);
    // The log has room for that, the tree has not: the first checkpoint fails, at the latest after the last of these.
    for (let n = 0; n < 500 && reasons.length === 0; n++) await numbers.writeOrRefused(storage, 2000);
    await expect.poll(() => reasons.length).toBe(1);
    await expect(numbers.write(storage, 1)).rejects.toMatchObject(REFUSED);
    numbers.expectIn(storage);
    await disk.empty();
    await expect.poll(() => reasons.length).toBe(2);
    await numbers.write(storage, 1);
    await storage.close();
    const again = openStorage(folder);
    numbers.expectIn(again);
    await again.close();
  });

  it('a write too large for it takes no room from others', async () => {
    const disk = smallDiskForTest(16 * MIB);
    const { storage, reasons } = open(join(disk.folder, 'database'));
    const numbers = new Numbers();
    await numbers.write(storage, 100);
    await disk.leave(4 * MIB);
    for (const size of [7_000_000, 8_000_000]) {
      await expect(numbers.write(storage, size)).rejects.toMatchObject(REFUSED);
      await expect.poll(() => reasons.at(-1)).toBeUndefined();
      await numbers.write(storage, 100);
    }
    numbers.expectIn(storage);
    await storage.close();
  });

  it('what was refused leaves no collection behind', async () => {
    const disk = smallDiskForTest(16 * MIB);
    const database = await startDatabase(join(disk.folder, 'data'), { MIN_FREE_BYTES: '0' });
    onTestFinished(() => stop(database.child));
    const client = await new MongoClient(database.url).connect();
    onTestFinished(() => client.close());
    await client.db().collection<{ _id: number; text: string }>('there').insertOne({ _id: 1, text: 'kept' });
    await disk.leave(0);
    const large = { text: 'x'.repeat(6_000_000) };
    await expect(client.db().collection('new').insertOne(large)).rejects.toMatchObject(REFUSED);
    await expect(client.db().collection('there').deleteOne({})).rejects.toMatchObject(REFUSED);
    expect(await client.db().listCollections().toArray()).toMatchObject([{ name: 'there' }]);
    expect(await client.db().collection('there').find().toArray()).toEqual([{ _id: 1, text: 'kept' }]);
    await disk.empty();
    await expect
      .poll(() =>
        client
          .db()
          .collection('new')
          .insertOne({ text: 'small' })
          .then(
            () => true,
            () => false,
          ),
      )
      .toBe(true);
    expect(await client.db().collection('new').countDocuments()).toBe(1);
  });

  it('a start serves everything that was acknowledged', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'letsapp-full-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const numbers = new Numbers();
    const first = openStorage(folder);
    for (let n = 0; n < 500; n++) await numbers.write(first, 2000);
    const disk = smallDiskForTest(16 * MIB);
    // As a kill leaves it: everything is in the log, and nothing in the tree.
    await cp(folder, join(disk.folder, 'killed'), { recursive: true });
    await first.close();
    await disk.leave(0);
    const { storage, reasons } = open(join(disk.folder, 'killed'));
    expect(reasons).toHaveLength(1);
    numbers.expectIn(storage);
    await expect(numbers.write(storage, 1)).rejects.toMatchObject(REFUSED);
    await storage.close();
    const second = open(join(disk.folder, 'killed'));
    numbers.expectIn(second.storage);
    await disk.empty();
    await expect.poll(() => second.reasons.length).toBe(2);
    await numbers.write(second.storage, 1);
    numbers.expectIn(second.storage);
    await second.storage.close();
  });
});
