import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bearer, upload } from '../media/client.ts';
import { type Account, connect, type Device, registerMany } from '../support/client.ts';
import { type ServerProcess, startProcessForTest, startServerProcess } from '../support/server-process.ts';
import { syncFrom } from '../support/sync-from.ts';
import { runTool } from '../support/tool.ts';

/** A picture of one pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
/** Whatever `MONGODB_URL` the tests run with. */
const OWN_DATABASE = { MONGODB_URL: '', MEDIA_STORAGE: 'disk' };

let folder: string;
let server: ServerProcess;
let accounts: Account[];
let devices: Device[];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'letsapp-backup-'));
  server = await startServerProcess({ dataDir: path.join(folder, 'data'), env: OWN_DATABASE });
  accounts = await registerMany(server.url, 3);
  devices = await Promise.all(accounts.map((account) => connect(server.url, account)));
});
afterAll(async () => {
  for (const device of devices) device.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const backUp = (to: string, env: Record<string, string> = {}) =>
  runTool(['backup', to], { ...OWN_DATABASE, DATA_DIR: server.dataDir, ...env });
const restore = (from: string, dataDir: string) => runTool(['restore', from], { ...OWN_DATABASE, DATA_DIR: dataDir });
const inFolder = (name: string) => path.join(folder, name);

/** Four programs start one after the other, beside a load. */
const PATIENCE = { timeout: 180_000 };

/** Sends one message after the other to the next device, some with a picture, until it is stopped. */
function startWriting(from: number, acknowledged: string[]) {
  const [account, device, to] = [accounts[from]!, devices[from]!, devices[(from + 1) % devices.length]!];
  let isStopped = false;
  async function write(): Promise<void> {
    for (let count = 0; !isStopped; count++) {
      const { json } =
        count % 5 === 0 ? await upload(server.url, account, '/media', PNG, 'dot.png') : { json: undefined };
      const attachment = json && { attachment: { media_id: json.media._id }, message_type: 'image' as const };
      const { message } = await device.ok('message:send', { recipient_id: to.id, content: `${count}`, ...attachment });
      acknowledged.push(message._id);
      // What comes during the backup is all read afterwards.
      await pause(50);
    }
  }
  const writing = write();
  return () => {
    isStopped = true;
    return writing;
  };
}

describe('a backup of a server under load', () => {
  it(
    'has all that was acknowledged before, and clients go on from where they were without a gap',
    PATIENCE,
    async () => {
      const acknowledged: string[] = [];
      const stops = devices.map((_, from) => startWriting(from, acknowledged));
      await expect.poll(() => acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(20);
      const known = await Promise.all(devices.map((device) => syncFrom(device, {})));
      const before = new Set(acknowledged);
      const made = await backUp(inFolder('first'));
      expect(made).toMatchObject({ code: 0, stderr: '' });
      const during = acknowledged.length - before.size;
      await Promise.all(stops.map((stop) => stop()));
      expect(during).toBeGreaterThan(0);

      const back = inFolder('restored');
      expect(await restore(inFolder('first'), back)).toMatchObject({ code: 0, stderr: '' });
      const other = await startProcessForTest({ dataDir: back, env: OWN_DATABASE });
      let pictures = 0;
      const found = new Set(known.flatMap(({ ids }) => ids));
      for (const [i, account] of accounts.entries()) {
        // The token of the first server: its secret came along.
        const device = await connect(other.url, account);
        const { ids } = await syncFrom(device, known[i]!.cursor);
        for (const id of ids) found.add(id);
        const { conversations } = await device.ok('sync', {});
        for (const { messages } of conversations) {
          for (const { media_id } of messages.flatMap(({ attachment }) => attachment ?? []).slice(-5)) {
            const got = await fetch(`${other.url}/media/${media_id}`, { headers: bearer(account) });
            expect(got.status).toBe(200);
            pictures++;
          }
        }
        device.close();
      }
      expect(pictures).toBeGreaterThan(0);
      expect([...before].filter((id) => !found.has(id))).toEqual([]);
      // Of an upload that was under way there may be bytes without a document.
      const doctor = await runTool(['doctor', '--repair'], { ...OWN_DATABASE, DATA_DIR: back });
      const others = doctor.stdout
        .split('\n')
        .filter((line) => !/^ *(stored bytes|bytes without an upload|\d+ found)/.test(line));
      expect(others.filter((line) => line !== '' && line !== 'nothing is wrong')).toEqual([]);
    },
  );
});

describe('a backup', () => {
  beforeAll(async () => {
    await upload(server.url, accounts[0]!, '/media', PNG, 'dot.png');
    expect(await backUp(inFolder('whole'))).toMatchObject({ code: 0 });
  });

  it('is for its owner alone, says what it holds, and has nothing else', async () => {
    const whole = inFolder('whole');
    expect((await stat(whole)).mode & 0o777).toBe(0o700);
    const manifest = JSON.parse(await readFile(path.join(whole, 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({ format: 1, counts: { users: 3 } });
    const names = (await readdir(whole, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const list = await readFile(path.join(whole, 'SHA256SUMS'), 'utf8');
    expect(names).toHaveLength(manifest.files + 2);
    expect(list.trimEnd().split('\n')).toHaveLength(manifest.files);
    expect(list).toMatch(/^[0-9a-f]{64} {2}database\/data\.mdb$/m);
    expect(list).toMatch(/^[0-9a-f]{64} {2}jwt-secret$/m);
    for (const { parentPath, name } of names) {
      if (parentPath.startsWith(path.join(whole, 'media'))) continue;
      expect((await stat(path.join(parentPath, name))).mode & 0o077).toBe(0);
    }
    expect((await readdir(folder)).filter((name) => name.includes('partial'))).toEqual([]);
    expect(await readdir(path.join(server.dataDir, 'database'))).not.toContain('copy');
  });

  it('is not made where something is, nor of a MongoDB', async () => {
    const full = await backUp(server.dataDir);
    expect(full).toMatchObject({ code: 1, stdout: '' });
    expect(full.stderr).toMatch(/^letsapp: .* must be empty, or not be there\n$/);
    const elsewhere = await backUp(inFolder('none'), { MONGODB_URL: 'mongodb://127.0.0.1:1/letsapp' });
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.stderr).toMatch(/^letsapp: MONGODB_URL is set, .*mongodump.*\n$/);
    expect((await backUp('')).code).toBe(1);
  });

  it('is put back into an empty folder, which stays the same one', async () => {
    const volume = inFolder('volume');
    await mkdir(volume);
    const { ino } = await stat(volume);
    expect(await restore(inFolder('whole'), volume)).toMatchObject({ code: 0 });
    expect((await stat(volume)).ino).toBe(ino);
    expect((await readdir(volume)).sort()).toEqual(['database', 'jwt-secret', 'media', 'vapid-private-key']);
    const again = await restore(inFolder('whole'), volume);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('must be empty');
  });

  it.each([
    ['a file of it is altered', (at: string) => writeFile(path.join(at, 'jwt-secret'), 'x'.repeat(43))],
    ['a file of it is shorter', (at: string) => truncate(path.join(at, 'database/data.mdb'), 8192)],
    ['a file of it is missing', (at: string) => rm(path.join(at, 'vapid-private-key'))],
    ['its list is altered', (at: string) => writeFile(path.join(at, 'SHA256SUMS'), '')],
    ['it has no manifest', (at: string) => rm(path.join(at, 'manifest.json'))],
  ])('is not put back when %s, and nothing of it is left', async (_what, damage) => {
    const copy = await mkdtemp(inFolder('damaged-'));
    expect(await restore(inFolder('whole'), path.join(copy, 'fine'))).toMatchObject({ code: 0 });
    for (const name of ['manifest.json', 'SHA256SUMS']) {
      await writeFile(path.join(copy, 'fine', name), await readFile(path.join(inFolder('whole'), name)));
    }
    await damage(path.join(copy, 'fine'));
    const refused = await restore(path.join(copy, 'fine'), path.join(copy, 'new'));
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^letsapp: .*(damaged|no backup).*\n$/);
    expect(await readdir(copy)).toEqual(['fine']);
  });
});
