import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStorage } from '../../server/embedded/storage/storage.ts';

/** Where a database lies that was stopped, and a copy of it for each attempt. */
let whole: string;
let folder: string;
const ALL = { low: Buffer.of(1), high: Buffer.of(255) };
let contents: string;

beforeAll(async () => {
  const parent = await mkdtemp(join(tmpdir(), 'letsapp-damage-'));
  whole = join(parent, 'whole');
  folder = join(parent, 'copy');
  for (let run = 0; run < 4; run++) {
    const storage = openStorage(whole);
    // Entries that come, change and go, some on pages of their own: so that there are free pages and all kinds of others.
    for (let round = 0; round < 4; round++) {
      await storage.write(() => {
        for (let n = 0; n < 400; n++) {
          const key = Buffer.from(`key ${(n * 7919 + run) % 1500} ${'-'.repeat(n % 50)}`);
          if (n % 5 === round) storage.remove(key);
          else storage.put(key, Buffer.alloc(n % 40 === 0 ? 9000 : n % 200, `${run} ${round}`));
        }
        storage.put(Buffer.from('zzz'), Buffer.from('the only text'));
      });
    }
    await storage.close();
  }
  contents = await read(whole);
});
afterAll(() => rm(join(whole, '..'), { recursive: true, force: true }));

/** What a start finds. */
async function read(from: string): Promise<string> {
  const storage = openStorage(from);
  const entries = storage.read(ALL, false, 1e6);
  await storage.close();
  return entries.map(({ key, value }) => `${key.toString('latin1')}=${value.toString('latin1')}`).join('\n');
}

/** Starts on a copy with a damaged file. Returns the refusal, or undefined after a start that found everything. */
async function startWith(name: string, change: (file: string) => Promise<void>): Promise<string | undefined> {
  await rm(folder, { recursive: true, force: true });
  await cp(whole, folder, { recursive: true });
  await change(join(folder, name));
  let found: string;
  try {
    found = await read(folder);
  } catch (error) {
    return (error as Error).message;
  }
  expect(found === contents).toBe(true);
  return undefined;
}

const flip = (at: number, bit: number) => async (file: string) => {
  const bytes = await readFile(file);
  bytes[at]! ^= 1 << bit;
  await writeFile(file, bytes);
};
const REFUSAL = /^database\/data\.mdb in DATA_DIR is damaged \([^\n]+\): .*put back a copy[^\n]+$/;

describe('a start on a damaged data file', () => {
  it('finds everything if nothing is damaged', async () => {
    expect(await startWith('data.mdb', async () => {})).toBeUndefined();
  });

  it('is refused after any wrong bit that matters', async () => {
    const size = (await readFile(join(whole, 'data.mdb'))).length;
    const anywhere = fc.oneof(fc.nat(size - 1), fc.nat(8191));
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(anywhere, fc.nat(7), async (at, bit) => {
        const refusal = await startWith('data.mdb', flip(at, bit));
        if (refusal === undefined) return;
        refused++;
        expect(refusal).toMatch(REFUSAL);
      }),
      { numRuns: 100 },
    );
    expect(refused).toBeGreaterThan(2);
  });

  it('is refused if one letter of a text is another', async () => {
    const change = async (file: string) => {
      const bytes = await readFile(file);
      for (let at = bytes.indexOf('the only text'); at >= 0; at = bytes.indexOf('the only text')) bytes[at] = 84;
      await writeFile(file, bytes);
    };
    expect(await startWith('data.mdb', change)).toMatch(REFUSAL);
  });

  it.each([0, 100, 4096, 10_000])('is refused if it was cut off at byte %i', async (end) => {
    expect(await startWith('data.mdb', (file) => truncate(file, end))).toMatch(REFUSAL);
  });

  it('is refused if it lost its last pages', async () => {
    const size = (await readFile(join(whole, 'data.mdb'))).length;
    const refusals: (string | undefined)[] = [];
    for (let lost = 4096; lost < size; lost *= 2) {
      refusals.push(await startWith('data.mdb', (file) => truncate(file, size - lost)));
    }
    expect(refusals.at(-1)).toMatch(REFUSAL);
  });

  it('is refused if it is gone while the log is there', async () => {
    expect(await startWith('data.mdb', (file) => rm(file))).toMatch(REFUSAL);
  });

  it('is refused if it is something else', async () => {
    expect(await startWith('data.mdb', (file) => writeFile(file, Buffer.alloc(100_000, 'text')))).toMatch(REFUSAL);
  });
});

describe('a value that goes bad while the database runs', () => {
  it('is not served', async () => {
    await startWith('data.mdb', async () => {});
    const key = Buffer.from('a key of its own');
    const storage = openStorage(folder);
    await storage.write(() => storage.put(key, Buffer.from('a value of its own')));
    await storage.close();
    const again = openStorage(folder);
    const bytes = await readFile(join(folder, 'data.mdb'));
    for (let at = bytes.indexOf('a value of its own'); at >= 0; at = bytes.indexOf('a value of its own', at + 1)) {
      bytes[at] = 'A'.charCodeAt(0);
    }
    await writeFile(join(folder, 'data.mdb'), bytes, { flag: 'r+' });
    expect(() => again.get(key)).toThrow(/data\.mdb in DATA_DIR is damaged/);
    expect(() => again.read(ALL, false, 1e6)).toThrow(/data\.mdb in DATA_DIR is damaged/);
    await again.close();
  });
});
