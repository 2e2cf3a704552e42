import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRedoLog } from '../../server/embedded/storage/redo-log.ts';
import { readRedoLog } from '../../server/embedded/storage/redo-records.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'letsapp-redo-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const texts = (records: Buffer[]) => records.map((record) => record.toString());

async function written(applied: number, ...changes: string[]): Promise<void> {
  const log = openRedoLog(folder, applied);
  await Promise.all(changes.map((change) => log.append(Buffer.from(change))));
  await log.close();
}

describe('the redo log', () => {
  it('returns the records after the applied one, in order', async () => {
    await written(0, 'one', 'two', 'three');
    expect(texts(readRedoLog(folder, 0))).toEqual(['one', 'two', 'three']);
    expect(texts(readRedoLog(folder, 2))).toEqual(['three']);
    expect(readRedoLog(folder, 3)).toEqual([]);
  });

  it('is empty before its first use and after it is opened again', async () => {
    expect(readRedoLog(folder, 0)).toEqual([]);
    await written(0, 'one');
    await openRedoLog(folder, 1).close();
    expect(readRedoLog(folder, 0)).toEqual([]);
  });

  it('continues in the other segment, and is read from both', async () => {
    const log = openRedoLog(folder, 10);
    await log.append(Buffer.from('eleven'));
    log.turn();
    await log.append(Buffer.from('twelve'));
    await log.append(Buffer.from('thirteen'));
    await log.close();
    expect(log.last()).toBe(13);
    expect(texts(readRedoLog(folder, 10))).toEqual(['eleven', 'twelve', 'thirteen']);
    expect(texts(readRedoLog(folder, 11))).toEqual(['twelve', 'thirteen']);
  });

  it('ignores records that an earlier use left in a segment', async () => {
    const log = openRedoLog(folder, 0);
    for (const change of ['1', '2', '3']) await log.append(Buffer.from(change));
    log.turn();
    await log.append(Buffer.from('4'));
    log.turn();
    await log.append(Buffer.from('5'));
    await log.close();
    expect(texts(readRedoLog(folder, 3))).toEqual(['4', '5']);
    expect(texts(readRedoLog(folder, 4))).toEqual(['5']);
  });

  it('stops before a record that is cut short or damaged, and before a gap', async () => {
    await written(0, 'one', 'two', 'three');
    const file = join(folder, 'redo-0');
    const whole = await readFile(file);
    const third = whole.indexOf('three');
    await writeFile(file, whole.subarray(0, third + 2));
    expect(texts(readRedoLog(folder, 0))).toEqual(['one', 'two']);
    whole[whole.indexOf('two')]! ^= 1;
    await writeFile(file, whole);
    expect(texts(readRedoLog(folder, 0))).toEqual(['one']);
    expect(readRedoLog(folder, 1)).toEqual([]);
  });

  it('holds more than the initial size of a segment', async () => {
    const large = 'x'.repeat(5 * 1024 * 1024);
    await written(0, large, 'behind it');
    expect(texts(readRedoLog(folder, 0))).toEqual([large, 'behind it']);
  });
});
