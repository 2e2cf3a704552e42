import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmbedded } from '../../server/embedded/start.ts';
import { createDiskStorage } from '../../server/media/storage/disk.ts';
import { createGridfsStorage } from '../../server/media/storage/gridfs.ts';
import { type MediaStorage, NotStored, newKey } from '../../server/media/storage/storage.ts';

const bytes = randomBytes(3 * 1024 * 1024 + 17);
const cases: Record<string, MediaStorage> = {};
let directory: string;
let close: () => Promise<void>;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'letsapp-storage-'));
  const embedded = await startEmbedded({ dataDir: directory });
  const client = await MongoClient.connect(embedded.url);
  cases.gridfs = createGridfsStorage(client.db('storage'));
  cases.disk = createDiskStorage(path.join(directory, 'media'));
  close = async () => {
    await client.close();
    await embedded.close();
    await rm(directory, { recursive: true });
  };
});
afterAll(() => close());

async function localFile(content: Uint8Array): Promise<string> {
  const file = path.join(directory, newKey());
  await writeFile(file, content);
  return file;
}

describe.each(['gridfs', 'disk'])('%s', (name) => {
  const storage = () => cases[name]!;
  const read = async (key: string, start: number, end: number) =>
    Buffer.concat(await (await storage().read(key, { start, end })).toArray());

  it('gives back the whole and every part of what was stored', async () => {
    const key = newKey();
    await storage().store(key, await localFile(bytes));
    expect((await read(key, 0, bytes.length)).equals(bytes)).toBe(true);
    const chunk = 255 * 1024;
    const edges = [0, 1, chunk - 1, chunk, chunk + 1, 4 * chunk - 1, 4 * chunk, 5 * chunk + 3, bytes.length - 1];
    for (const start of edges) {
      for (const end of [start + 1, start + chunk, start + 5 * chunk, bytes.length].filter((e) => e <= bytes.length)) {
        const part = await read(key, start, end);
        expect(part.equals(bytes.subarray(start, end)), `${start}-${end}`).toBe(true);
      }
    }
  });

  it('tells that there is nothing under a key, before any byte', async () => {
    await expect(storage().read(newKey(), { start: 0, end: 10 })).rejects.toBeInstanceOf(NotStored);
  });

  it('removes for good, and again without complaint', async () => {
    const key = newKey();
    await storage().store(key, await localFile(bytes.subarray(0, 1000)));
    await storage().remove(key);
    await storage().remove(key);
    await expect(storage().read(key, { start: 0, end: 10 })).rejects.toBeInstanceOf(NotStored);
  });

  it('breaks a reading, and nothing else, when its bytes are removed meanwhile', async () => {
    const key = newKey();
    await storage().store(key, await localFile(bytes));
    const stream = await storage().read(key, { start: 0, end: bytes.length });
    await storage().remove(key);
    // The disk keeps an open file to its end; GridFS cannot.
    const outcome = await stream.toArray().then(
      (parts) => Buffer.concat(parts as Buffer[]).equals(bytes),
      (error: unknown) => error instanceof NotStored,
    );
    expect(outcome).toBe(true);
  });

  it('does not read ahead of a consumer that waits', async () => {
    const key = newKey();
    await storage().store(key, await localFile(bytes));
    const stream = await storage().read(key, { start: 0, end: bytes.length });
    stream.once('readable', () => {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(stream.readableLength).toBeLessThan(1.5 * 1024 * 1024);
    stream.destroy();
  });
});

it('keeps files on the disk in folders that nobody else can enter', async () => {
  const key = newKey();
  await cases.disk!.store(key, await localFile(Buffer.from('private')));
  const [folder] = (await readdir(path.join(directory, 'media'))).filter((name) => key.startsWith(name));
  const stats = await stat(path.join(directory, 'media', folder!));
  expect(stats.mode & 0o777).toBe(0o700);
  expect(await readFile(path.join(directory, 'media', folder!, key), 'utf8')).toBe('private');
});
