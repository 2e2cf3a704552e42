import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it, onTestFinished, vi } from 'vitest';
import { compactTree } from '../../server/embedded/storage/compaction.ts';
import { openStorage, type Storage } from '../../server/embedded/storage/storage.ts';
import { http, register } from '../support/client.ts';
import { startServerProcess } from '../support/server-process.ts';
import { smallDiskForTest } from '../support/small-disk.ts';

const MIB = 1024 * 1024;
const ALL = { low: Buffer.of(1), high: Buffer.of(255) };
const SECRET = 'what was deleted';
const key = (number: number) => Buffer.from(`key ${number}`);

/** A database most of which was deleted. */
async function shrunk(folder: string): Promise<void> {
  const storage = openStorage(folder);
  await storage.write(() => {
    for (let n = 0; n < 5000; n++) storage.put(key(n), Buffer.from(n % 50 === 0 ? `kept ${n}` : `${SECRET} ${n}`));
  });
  await storage.close();
  const again = openStorage(folder);
  await again.write(() => {
    for (let n = 0; n < 5000; n++) if (n % 50 !== 0) again.remove(key(n));
  });
  await again.close();
}

async function contents(folder: string): Promise<string[]> {
  const storage = openStorage(folder);
  const entries = storage.read(ALL, false, 1e6);
  await storage.close();
  return entries.map(({ key, value }) => `${key}=${value}`);
}

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'letsapp-compaction-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const tree = (folder: string) => join(folder, 'data.mdb');

it('a start leaves out what was deleted, and keeps all else', async () => {
  const folder = join(await temporary(), 'database');
  await shrunk(folder);
  const before = await contents(folder);
  const { size } = await stat(tree(folder));
  expect(await readFile(tree(folder), 'latin1')).toContain(SECRET);
  await compactTree(folder);
  expect(await readFile(tree(folder), 'latin1')).not.toContain(SECRET);
  expect((await stat(tree(folder))).size).toBeLessThan(size / 2);
  expect(await contents(folder)).toEqual(before);
});

it('a crash at any moment of it leaves a database that starts', async () => {
  const parent = await temporary();
  const folder = join(parent, 'database');
  await shrunk(folder);
  const before = await contents(folder);
  // While the new file was made.
  await mkdir(join(folder, 'compacted'));
  await writeFile(join(folder, 'compacted', 'data.mdb'), 'half of it');
  await compactTree(folder);
  expect(await contents(folder)).toEqual(before);
  // Before the old file was replaced, and after: without the checksum, which is written last.
  for (const file of ['data.sum', 'lock.mdb']) await rm(join(folder, file), { force: true });
  await cp(folder, join(parent, 'copy'), { recursive: true });
  await compactTree(join(parent, 'copy'));
  expect(await contents(join(parent, 'copy'))).toEqual(before);
});

it('a start after a crash makes up for a long log in the compacted file', async () => {
  const parent = await temporary();
  const folder = join(parent, 'database');
  await shrunk(folder);
  /** In groups, so that the redo log has them before the tree does. */
  const writeAll = async (storage: Storage, text: string) => {
    for (let from = 0; from < 20_000; from += 1000) {
      await storage.write(() => {
        for (let n = from; n < from + 1000; n++) storage.put(key((n * 7919) % 40_000), Buffer.from(text.repeat(20)));
      });
    }
  };
  const first = openStorage(folder);
  await writeAll(first, 'before the crash');
  await first.close();
  const second = openStorage(folder);
  await writeAll(second, 'in the log alone');
  await cp(folder, join(parent, 'killed'), { recursive: true });
  await second.close();
  await compactTree(join(parent, 'killed'));
  expect((await contents(join(parent, 'killed'))).join()).toBe((await contents(folder)).join());
});

it('a file whose list of free pages is of LMDB 3 is written anew, and taken over whole', async () => {
  const folder = await temporary();
  const fixture = join(import.meta.dirname, 'lmdb-3.mdb.gz');
  await writeFile(tree(folder), gunzipSync(await readFile(fixture)));
  await compactTree(folder);
  const before = await contents(folder);
  expect(before).toHaveLength(31);
  for (const entry of before) expect(entry).toMatch(/^key 0*(\d+)=(\1 in round \d+ )+$/);
  const storage = openStorage(folder);
  await storage.write(() => {
    for (let n = 0; n < 5000; n++) storage.put(key(n), Buffer.from(`after ${n}`));
  });
  await storage.close();
  expect(await contents(folder)).toEqual(expect.arrayContaining(before));
});

it('a file of LMDB 3 that cannot be written anew is refused, and stays as it is', async () => {
  const disk = smallDiskForTest(4 * MIB);
  const bytes = gunzipSync(await readFile(join(import.meta.dirname, 'lmdb-3.mdb.gz')));
  await writeFile(tree(disk.folder), bytes);
  await disk.leave(8192);
  await expect(compactTree(disk.folder)).rejects.toThrow(/data\.mdb in DATA_DIR is of an earlier version: /);
  expect((await readFile(tree(disk.folder))).equals(bytes)).toBe(true);
});

it('a file that is damaged is refused, and not replaced', async () => {
  const folder = join(await temporary(), 'database');
  await shrunk(folder);
  const bytes = await readFile(tree(folder));
  // On free pages, where the first ones may lie, damage would not matter.
  for (let at = bytes.indexOf('kept'); at >= 0; at = bytes.indexOf('kept', at)) bytes[at]! ^= 1;
  await writeFile(tree(folder), bytes);
  await expect(compactTree(folder)).rejects.toThrow(/data\.mdb in DATA_DIR is damaged/);
  expect((await readFile(tree(folder))).equals(bytes)).toBe(true);
});

it('a disk without room for a second file keeps the first', async () => {
  const disk = smallDiskForTest(16 * MIB);
  const folder = join(disk.folder, 'database');
  await shrunk(folder);
  const before = await contents(folder);
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  onTestFinished(() => warned.mockRestore());
  await disk.leave(8192);
  await compactTree(folder);
  expect(warned).toHaveBeenCalledWith(expect.stringMatching(/not compacted: .*/));
  await disk.empty();
  expect(await contents(folder)).toEqual(before);
});

it('what a user has erased is in no file of the database once it was started anew', async () => {
  const dataDir = await temporary();
  const env = { MONGODB_URL: '' };
  let server = await startServerProcess({ env, dataDir });
  const account = await register(server.url);
  const files = async () => {
    const names = ['data.mdb', 'redo-0', 'redo-1'].map((name) => join(dataDir, 'database', name));
    return (await Promise.all(names.map((name) => readFile(name, 'latin1')))).join();
  };
  const { email } = (await http(server.url, 'GET', '/users/me', { token: account.access_token })).json.user;
  const { password } = account;
  await http(server.url, 'DELETE', '/users/me', { token: account.access_token, body: { password } });
  await server.stop();
  expect(await files()).toContain(email);
  server = await startServerProcess({ env, dataDir });
  expect(await server.stop()).toBe(0);
  expect(await files()).not.toContain(email);
});
