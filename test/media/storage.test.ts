import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
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

  it('reads back the whole and every part', async () => {
    const chunk = 255 * 1024;
    const content = bytes.subarray(0, 6 * chunk + 17);
    const size = content.length;
    const key = newKey();
    await storage().store(key, await localFile(content));
    expect((await read(key, 0, size)).equals(content)).toBe(true);
    for (const start of [0, 1, chunk - 1, chunk, chunk + 1, 4 * chunk - 1, 4 * chunk, 5 * chunk + 3, size - 1]) {
      for (const end of [start + 1, start + chunk, start + 5 * chunk, size].filter((end) => end <= size)) {
        const part = await read(key, start, end);
        expect(part.equals(content.subarray(start, end)), `${start}-${end}`).toBe(true);
      }
    }
  });

  it('reports a missing key before the first byte', async () => {
    await expect(storage().read(newKey(), { start: 0, end: 10 })).rejects.toBeInstanceOf(NotStored);
  });

  it('removes for good, and once more without an error', async () => {
    const key = newKey();
    await storage().store(key, await localFile(bytes.subarray(0, 1000)));
    await storage().remove(key);
    await storage().remove(key);
    await expect(storage().read(key, { start: 0, end: 10 })).rejects.toBeInstanceOf(NotStored);
  });

  it('breaks off a read whose bytes are removed meanwhile', async () => {
    const key = newKey();
    await storage().store(key, await localFile(bytes));
    const stream = await storage().read(key, { start: 0, end: bytes.length });
    await storage().remove(key);
    // The disk keeps an open file until it is closed; GridFS cannot.
    const outcome = await stream.toArray().then(
      (parts) => Buffer.concat(parts as Buffer[]).equals(bytes),
      (error: unknown) => error instanceof NotStored,
    );
    expect(outcome).toBe(true);
  });

  it('does not read far ahead of its consumer', async () => {
    const key = newKey();
    await storage().store(key, await localFile(bytes));
    const stream = await storage().read(key, { start: 0, end: bytes.length });
    await once(stream, 'readable');
    // While others read everything twice, a stream without limits would have read it too.
    for (let round = 0; round < 2; round++) await read(key, 0, bytes.length);
    expect(stream.readableLength).toBeLessThan(1.5 * 1024 * 1024);
    stream.destroy();
  });
});

it('keeps files on the disk in folders that only the server can enter', async () => {
  const key = newKey();
  await cases.disk!.store(key, await localFile(Buffer.from('private')));
  const [folder] = (await readdir(path.join(directory, 'media'))).filter((name) => key.startsWith(name));
  const stats = await stat(path.join(directory, 'media', folder!));
  expect(stats.mode & 0o777).toBe(0o700);
  expect(await readFile(path.join(directory, 'media', folder!, key), 'utf8')).toBe('private');
});
