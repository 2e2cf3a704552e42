import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { writeHeader } from '../../server/embedded/storage/redo-records.ts';
import { openStorage } from '../../server/embedded/storage/storage.ts';
import { APPLIED, openTree } from '../../server/embedded/storage/tree.ts';

const keyOf = (number: number) => Buffer.from(`key ${number}`);

/** One change as a record of the redo log has it. */
function change(key: Buffer, value: Buffer | undefined): Buffer {
  const lengths = Buffer.alloc(6);
  lengths.writeUInt16LE(key.length);
  lengths.writeUInt32LE(value?.length ?? 0xffff_ffff, 2);
  return Buffer.concat([lengths, key, value ?? Buffer.alloc(0)]);
}

it('a database whose values have no checksums yet, and a log on top of it, is taken over', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'letsapp-early-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const tree = openTree(folder);
  const applied = Buffer.alloc(8);
  applied.writeDoubleLE(41);
  tree.transactionSync(() => {
    tree.putSync(APPLIED, applied);
    for (let n = 0; n < 2500; n++) tree.putSync(keyOf(n), Buffer.alloc(n % 1000 === 1 ? 9000 : 5, n));
  });
  await tree.close();
  const changes = Buffer.concat([change(keyOf(1), undefined), change(keyOf(9999), Buffer.from('new'))]);
  const record = Buffer.concat([Buffer.alloc(16), changes]);
  writeHeader(record, 42, 0);
  await writeFile(join(folder, 'redo-0'), Buffer.concat([record, Buffer.alloc(10_000)]));

  // The second start checks what the first one made.
  for (let start = 0; start < 2; start++) {
    const storage = openStorage(folder);
    expect(storage.get(keyOf(9999))?.toString()).toBe('new');
    expect(storage.has(keyOf(1))).toBe(false);
    for (let n = 2; n < 2500; n++) {
      expect(storage.get(keyOf(n))?.equals(Buffer.alloc(n % 1000 === 1 ? 9000 : 5, n))).toBe(true);
    }
    await storage.close();
  }
});
