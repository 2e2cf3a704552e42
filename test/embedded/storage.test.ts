import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStorage } from '../../server/embedded/storage/storage.ts';
import { KEYS, keysOf, LIFE } from './storage-groups.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'letsapp-storage-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Lets a process write for a while and kills it. Resolves with the last number that it reported as durable. */
async function writeAndKill(from: number, ms: number): Promise<number> {
  const writer = new URL('storage-writer.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, ['--import', 'tsx', writer, folder, String(from)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await once(child.stdout, 'data');
  await sleep(ms);
  child.kill('SIGKILL');
  await once(child, 'close');
  const numbers = output.split('\n').slice(0, -1).map(Number);
  return Math.max(from - 1, ...numbers);
}

describe('the storage', () => {
  it('keeps every acknowledged group, and each group whole or not at all, whenever the process is killed', async () => {
    let next = 1;
    for (const ms of [5, 300, 900, 2500]) {
      const acknowledged = await writeAndKill(next, ms);
      const storage = openStorage(folder);
      const present = (number: number) => keysOf(number).filter((key) => storage.has(key)).length;
      let last = acknowledged;
      while (present(last + 1) === KEYS) last++;
      expect(present(last + 1)).toBe(0);
      for (let number = Math.max(1, last - LIFE + 1); number <= last; number++) {
        expect(storage.get(keysOf(number)[0]!)?.toString()).toBe(String(number));
        expect(present(number)).toBe(KEYS);
      }
      for (let number = Math.max(1, last - 2 * LIFE); number <= last - LIFE; number++) expect(present(number)).toBe(0);
      await storage.close();
      next = last + 1;
    }
  });

  it('shows writes to later reads in the same group, and fails only the action that throws', async () => {
    const storage = openStorage(folder);
    const key = Buffer.from('some key');
    const seen: (string | undefined)[] = [];
    const read = () => storage.get(key)?.toString();
    const results = await Promise.allSettled([
      storage.write(() => storage.put(key, Buffer.from('first'))),
      storage.write(() => {
        seen.push(read());
        throw new Error('refused');
      }),
      storage.write(() => storage.remove(key)),
      storage.write(() => seen.push(read())),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(seen).toEqual(['first', undefined]);
    await storage.close();
  });

  it('writes down what has changed after a while, and nothing while nothing changes', async () => {
    const storage = openStorage(folder, { checkpointMs: 20 });
    const tree = () => readFile(join(folder, 'data.mdb'));
    const empty = await tree();
    await storage.write(() => {});
    await sleep(200);
    expect((await tree()).equals(empty)).toBe(true);
    await storage.write(() => storage.put(Buffer.from('some key'), Buffer.from('something')));
    await expect.poll(async () => (await tree()).includes('something')).toBe(true);
    await storage.close();
  });
});
