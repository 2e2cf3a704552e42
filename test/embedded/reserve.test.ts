import path from 'node:path';
import { MongoClient, MongoServerError } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, http, register } from '../support/client.ts';
import { startProgram } from '../support/program.ts';
import { startProcessForTest } from '../support/server-process.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';

const MIB = 1024 * 1024;
const MIN_FREE = 48 * MIB;
/** The database needs some itself. */
const SIZE = 96 * MIB;
/** Less than a quarter of what must be free. */
const TOO_LITTLE = 11 * MIB;
const PATIENCE = { timeout: 45_000 };

let disk: SmallDisk;
beforeAll(() => {
  disk = mountSmallDisk(SIZE);
});
afterAll(() => disk?.unmount());
beforeEach(() => disk.empty());

describe('with less than a quarter of MIN_FREE_BYTES free the embedded database', () => {
  const settings = () => ({
    // Not the database that the environment names for the other tests.
    env: { MONGODB_URL: '', MIN_FREE_BYTES: String(MIN_FREE) },
    dataDir: path.join(disk.folder, 'data'),
  });

  it('refuses writes and goes on reading, over a restart too, and takes writes again when there is room', async () => {
    const server = await startProcessForTest(settings());
    const [ann, bob] = [await register(server.url), await register(server.url)];
    const device = await connect(server.url, ann);
    const send = (content: string, on = device) => on.raw('message:send', { recipient_id: bob.id, content });
    const texts = async (on = device) =>
      (await on.ok('message:history', { recipient_id: bob.id })).messages.map(({ content }) => content);
    expect(await send('before')).toMatchObject({ ok: true });

    await disk.leave(20 * MIB);
    await expect.poll(async () => (await http(server.url, 'GET', '/readyz')).json.disk, PATIENCE).toBe('low');
    expect(await send('with less than all of it')).toMatchObject({ ok: true });

    await disk.leave(TOO_LITTLE);
    await expect.poll(async () => (await send('refused')).error?.code, PATIENCE).toBe('unavailable');
    const kept = await texts();
    expect(kept).not.toHaveLength(0);
    await expect
      .poll(async () => (await http(server.url, 'GET', '/readyz')).json, PATIENCE)
      .toMatchObject({ status: 'degraded', mongodb: true, disk: 'full' });
    device.close();
    await server.stop();

    const next = await startProcessForTest(settings());
    const again = await connect(next.url, ann);
    expect(await texts(again)).toEqual(kept);
    expect(await send('refused', again)).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    await disk.empty();
    await expect.poll(async () => (await send('after', again)).ok, PATIENCE).toBe(true);
    expect(await texts(again)).toContain('after');
    again.close();
  });

  it('says so by MongoDB’s code OutOfDiskSpace when it runs alone', async () => {
    const program = await startProgram('server/embedded/main.ts', {
      DATA_DIR: path.join(disk.folder, 'alone'),
      DATABASE_PORT: '0',
      MIN_FREE_BYTES: String(MIN_FREE),
    });
    const client = await MongoClient.connect(program.url);
    const docs = client.db().collection<{ _id: number }>('docs');
    await docs.insertOne({ _id: 0 });
    await disk.leave(TOO_LITTLE);
    let tried = 0;
    const insertion = () => docs.insertOne({ _id: ++tried }).catch((error: MongoServerError) => error);
    await expect.poll(insertion, PATIENCE).toBeInstanceOf(MongoServerError);
    expect(await insertion()).toMatchObject({ code: 14031, codeName: 'OutOfDiskSpace' });
    expect(await docs.countDocuments()).toBe(tried - 1);
    await disk.empty();
    await expect.poll(insertion, PATIENCE).toMatchObject({ acknowledged: true });
    await client.close();
    program.child.kill('SIGTERM');
    expect(await program.exited).toBe(0);
  });
});

it.each(['-1', 'many', '1.5'])(
  'a wrong MIN_FREE_BYTES (%s) stops the start of the database with one line',
  async (value) => {
    const starting = startProgram('server/embedded/main.ts', { DATA_DIR: disk.folder, MIN_FREE_BYTES: value });
    await expect(starting).rejects.toThrow(/MIN_FREE_BYTES must be a number of bytes/);
  },
);
