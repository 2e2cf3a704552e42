import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRedoLog, type RedoLog } from '../../server/embedded/storage/redo-log.ts';
import { readRedoLog } from '../../server/embedded/storage/redo-records.ts';

const SEED = 12345;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'letsapp-redo-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const unexpected = (error: Error) => {
  throw error;
};
const opened = (applied: number) => openRedoLog(folder, { number: applied, seed: SEED }, unexpected);
/** The changes after the applied record. */
const read = (applied: number) =>
  readRedoLog(folder, { number: applied, seed: SEED }).map((record) => record.toString());
const file = (name = 'redo-0') => join(folder, name);

/** Appends each change when the one before is on disk: so each is a record of its own. */
async function append(log: RedoLog, ...changes: string[]): Promise<void> {
  for (const change of changes) await log.append(Buffer.from(change));
}

async function written(applied: number, ...changes: string[]): Promise<void> {
  const log = opened(applied);
  await append(log, ...changes);
  await log.close();
}

/** Changes a file's bytes. */
async function damage(name: string, change: (bytes: Buffer) => void): Promise<void> {
  const bytes = await readFile(file(name));
  change(bytes);
  await writeFile(file(name), bytes);
}

describe('the redo log', () => {
  it('returns the records after the applied one, in order', async () => {
    await written(0, 'one', 'two', 'three');
    expect(read(0)).toEqual(['one', 'two', 'three']);
    expect(read(2)).toEqual(['three']);
    expect(read(3)).toEqual([]);
  });

  it('writes what waits together in one record', async () => {
    const log = opened(0);
    await Promise.all(['one', 'two', 'three'].map((change) => log.append(Buffer.from(change))));
    expect(log.last()).toBe(2);
    await log.close();
    expect(read(0)).toEqual(['one', 'twothree']);
  });

  it('tells a group without changes when those before it are on disk', async () => {
    const log = opened(0);
    const before = log.append(Buffer.from('one'));
    await log.append(Buffer.alloc(0));
    expect(log.durable()).toBe(1);
    await before;
    await log.append(Buffer.alloc(0));
    await log.close();
    expect(read(0)).toEqual(['one']);
  });

  it('is empty before its first use and after it is opened again', async () => {
    expect(read(0)).toEqual([]);
    await written(0, 'one');
    await opened(1).close();
    expect(read(0)).toEqual([]);
  });

  it('continues in the other segment, and is read from both', async () => {
    const log = opened(10);
    await append(log, 'eleven');
    log.turn();
    await append(log, 'twelve', 'thirteen');
    await log.close();
    expect(log.last()).toBe(13);
    expect(read(10)).toEqual(['eleven', 'twelve', 'thirteen']);
    expect(read(11)).toEqual(['twelve', 'thirteen']);
  });

  it('keeps what is appended after a turn apart from what still waited', async () => {
    const log = opened(0);
    const appended = ['one', 'two'].map((change) => log.append(Buffer.from(change)));
    expect(log.last()).toBe(2);
    log.turn();
    appended.push(log.append(Buffer.from('three')));
    await Promise.all(appended);
    await log.close();
    expect(read(2)).toEqual(['three']);
  });

  it('ignores records that an earlier use left in a segment', async () => {
    const log = opened(0);
    await append(log, '1', '2', '3');
    log.turn();
    await append(log, '4');
    log.turn();
    await append(log, '5');
    await log.close();
    expect(read(3)).toEqual(['4', '5']);
    expect(read(4)).toEqual(['5']);
  });

  it('ignores records of another log, whatever their numbers', async () => {
    await written(0, 'one', 'two', 'three');
    expect(readRedoLog(folder, { number: 0, seed: SEED + 1 })).toEqual([]);
    expect(readRedoLog(folder, { number: 1, seed: SEED + 1 })).toEqual([]);
  });

  it('holds more than the initial size of a segment', async () => {
    const large = 'x'.repeat(5 * 1024 * 1024);
    await written(0, large, 'behind it');
    expect(read(0)).toEqual([large, 'behind it']);
  });

  it('is readable for nobody else', async () => {
    const mask = process.umask(0);
    await written(0, 'one');
    process.umask(mask);
    for (const name of ['redo-0', 'redo-1']) expect((await stat(file(name))).mode & 0o777).toBe(0o600);
  });
});

describe('a record at the end of the log', () => {
  it('that a crash cut short is as good as never written', async () => {
    await written(0, 'one', 'two', 'three');
    const whole = await readFile(file());
    for (let end = whole.indexOf('two') + 3; end < whole.indexOf('three') + 5; end++) {
      await writeFile(file(), whole);
      await truncate(file(), end);
      expect(read(0)).toEqual(['one', 'two']);
    }
  });

  it('of which a crash left only later parts is as good as never written', async () => {
    await written(0, 'one', 'x'.repeat(10_000));
    // The mark is written later than the record that it stands behind.
    await damage('redo-0', (bytes) => {
      bytes.fill(0, bytes.indexOf('x'), bytes.indexOf('x') + 4096);
      bytes.fill(0, bytes.lastIndexOf('x') + 1);
    });
    expect(read(0)).toEqual(['one']);
  });
});

describe('a wrong bit in the log', () => {
  it.each(['one', 'two', 'three'])('in the record "%s", which was acknowledged, is reported', async (record) => {
    await written(0, 'one', 'two', 'three');
    await damage('redo-0', (bytes) => {
      bytes[bytes.indexOf(record)]! ^= 1;
    });
    expect(() => read(0)).toThrow(/database\/redo-0 in DATA_DIR is damaged .*acknowledged writes are missing/);
  });

  it('in a record that the tree has taken over is of no account', async () => {
    await written(0, 'one', 'two', 'three');
    await damage('redo-0', (bytes) => {
      bytes[bytes.indexOf('two')]! ^= 1;
    });
    expect(read(2)).toEqual(['three']);
  });

  it('is reported when it is in the last record of the segment before', async () => {
    const log = opened(0);
    await append(log, 'one', 'two');
    log.turn();
    await append(log, 'three');
    await log.close();
    await damage('redo-0', (bytes) => {
      bytes[bytes.indexOf('two')]! ^= 1;
    });
    expect(() => read(0)).toThrow(/redo-0/);
  });

  it('wherever it is, is reported or loses nothing', async () => {
    const changes = ['one', 'a longer one '.repeat(40), 'three', 'four'];
    await written(0, ...changes);
    const whole = await readFile(file());
    const used = whole.indexOf('four') + 4 + 16;
    await fc.assert(
      fc.asyncProperty(fc.nat(used - 1), fc.nat(7), async (at, bit) => {
        const bytes = Buffer.from(whole);
        bytes[at]! ^= 1 << bit;
        await writeFile(file(), bytes);
        let found: string[] | undefined;
        try {
          found = read(0);
        } catch (error) {
          expect(String(error)).toMatch(/redo-0 in DATA_DIR is damaged/);
        }
        if (found) expect(found).toEqual(changes);
      }),
      { numRuns: 300 },
    );
  });
});
