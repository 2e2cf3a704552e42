import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bearer, upload } from '../media/client.ts';
import { type Account, connect, type Device, registerMany } from '../support/client.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../support/database.ts';
import { killAtExit } from '../support/program.ts';
import { type ServerProcess, startProcessForTest, startServerProcess } from '../support/server-process.ts';
import { syncFrom } from '../support/sync-from.ts';
import { runTool } from '../support/tool.ts';

const TOOLS = path.resolve(import.meta.dirname, '../../dist/server/tools.js');
/** Whatever `MONGODB_URL` the tests run with. */
const OWN_DATABASE = { MONGODB_URL: '' };
/** Several programs start one after the other, beside a load. */
const PATIENCE = { timeout: 240_000 };
/** A picture of one pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

let folder: string;
let server: ServerProcess;
let target: EmbeddedDatabase;
let accounts: Account[];
let devices: Device[];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'letsapp-move-'));
  [server, target] = await Promise.all([
    startServerProcess({ dataDir: path.join(folder, 'data'), env: OWN_DATABASE }),
    startEmbeddedDatabase(),
  ]);
  accounts = await registerMany(server.url, 3);
  devices = await Promise.all(accounts.map((account) => connect(server.url, account)));
});
afterAll(async () => {
  for (const device of devices) device.close();
  await server.stop();
  await target.stop();
  await rm(folder, { recursive: true, force: true });
});

const move = (args: string[], env: Record<string, string> = {}) =>
  runTool(['move', ...args], { ...OWN_DATABASE, DATA_DIR: server.dataDir, ...env });
/** The bytes of an upload. */
async function bytesOf(url: string, mediaId: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(`${url}/media/${mediaId}`, { headers: bearer(accounts[0]) })).arrayBuffer());
}
const other = (i: number) => (i + 1) % devices.length;

describe('a move is refused', () => {
  it.each([
    ['without a target', [], {}, /say where to/],
    ['to what is no MongoDB URL', ['--to', 'http://user:s3cret@127.0.0.1/x'], {}, /--to must be a MongoDB URL/],
    [
      'to what is not there',
      ['--to', 'mongodb://user:s3cret@127.0.0.1:1/there?tlsCertificateKeyFilePassword=s3cret'],
      {},
      /mongodb:\/\/127\.0\.0\.1:1\/there cannot be used: .*ECONNREFUSED/,
    ],
    [
      'from a MongoDB',
      ['--to', 'mongodb://127.0.0.1:1/x'],
      { MONGODB_URL: 'mongodb://127.0.0.1:1/y' },
      /MONGODB_URL is set/,
    ],
    [
      'without an embedded database',
      ['--to', 'mongodb://127.0.0.1:1/x'],
      { DATA_DIR: '/nowhere' },
      /no embedded database/,
    ],
  ])('%s, in one line that shows no secret', async (_what, args, env, says) => {
    const { code, stdout, stderr } = await move(args, env);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^letsapp: [^\n]+\n$/);
    expect(stderr).toMatch(says);
    expect(stderr).not.toContain('s3cret');
  });

  it('where something is in the target, and leaves both as they were', async () => {
    const full = target.url.replace(/letsapp$/, 'full');
    const client = await MongoClient.connect(full);
    const things = client.db().collection('things');
    await things.insertOne({ of: 'another program' });
    const { code, stderr } = await move(['--to', full]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^letsapp: the target .* is not empty: .*things/)]);
    expect(await client.db().listCollections().toArray()).toHaveLength(1);
    await client.close();
    await devices[0]!.ok('message:send', { recipient_id: devices[1]!.id, content: 'still here' });
  });
});

/** Sends one message after the other to the next device, until it is stopped or what is not acknowledged stays so. */
function startWriting(from: number, acknowledged: Map<string, string>) {
  const device = devices[from]!;
  const pending: string[] = [];
  let isStopped = false;
  async function write(): Promise<void> {
    for (let count = 0; !isStopped; count++) {
      const client_message_id = `${from} ${count}`;
      pending.push(client_message_id);
      const payload = { recipient_id: devices[other(from)]!.id, content: client_message_id, client_message_id };
      while (!isStopped && pending.length > 0) {
        const answer = await device.raw('message:send', payload);
        if (answer.ok) {
          acknowledged.set(client_message_id, (answer.data as { message: { _id: string } }).message._id);
          pending.pop();
        } else {
          expect(answer.error?.code).toBe('unavailable');
          await pause(100);
        }
      }
      // A request that is withdrawn removes documents.
      if (count % 5 === 0) {
        await device.raw('contact:request', { user_id: devices[other(from)]!.id });
        await device.raw('contact:remove', { user_id: devices[other(from)]!.id });
      }
      // Few, beside all that the machine does else.
      await pause(50);
    }
  }
  const writing = write();
  return async () => {
    isStopped = true;
    await writing;
    return pending;
  };
}

/** Runs a move, and kills it as soon as it has said something. */
async function killedAt(says: string): Promise<void> {
  const env = { ...process.env, ...OWN_DATABASE, DATA_DIR: server.dataDir };
  const child = spawn(process.execPath, [TOOLS, 'move', '--to', target.url], { env });
  killAtExit(child);
  let output = '';
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.stdout.on('data', (chunk) => {
    output += chunk;
    if (output.includes(says)) child.kill('SIGKILL');
  });
  await exited;
  expect(output).toContain(says);
  expect(output).not.toContain('moved to');
}

describe('a move of a server under load', () => {
  it(
    'can be killed at any point; then it goes on, clients continue without a gap, and nothing is lost',
    PATIENCE,
    async () => {
      const { json } = await upload(server.url, accounts[0]!, '/media', PNG, 'dot.png');
      const picture = await bytesOf(server.url, json.media._id);
      const acknowledged = new Map<string, string>();
      const stops = devices.map((_, from) => startWriting(from, acknowledged));
      await expect.poll(() => acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(30);
      const known = await Promise.all(devices.map((device) => syncFrom(device, {})));

      await killedAt('conversations is copied');
      // The half of it is no database to start on.
      const half = startServerProcess({ dataDir: server.dataDir, env: { MONGODB_URL: target.url } });
      await expect(half).rejects.toThrow(/letsapp move has not finished filling it/);
      await killedAt('writes are paused');
      // Writes go on by themselves.
      const before = acknowledged.size;
      await expect.poll(() => acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(before);
      const copied = await move(['--to', target.url, '--copy-only']);
      expect([copied.code, copied.stderr]).toEqual([0, '']);
      await devices[0]!.ok('message:send', { recipient_id: devices[1]!.id, content: 'only copied' });

      const moved = await move(['--to', target.url]);
      expect([moved.code, moved.stderr]).toEqual([0, '']);
      expect(moved.stdout).toContain('now set MONGODB_URL');
      expect((await devices[0]!.refused('message:send', { recipient_id: devices[1]!.id, content: 'x' })).code).toBe(
        'unavailable',
      );
      const pending = await Promise.all(stops.map((stop) => stop()));

      for (const device of devices) device.close();
      expect(await server.stop()).toBe(0);
      await expect(startServerProcess({ dataDir: server.dataDir, env: OWN_DATABASE })).rejects.toThrow(
        /was moved to mongodb:/,
      );
      // Killed between the end of the old one and the beginning of the new one.
      const client = await MongoClient.connect(target.url);
      const { move: id } = JSON.parse(await readFile(path.join(server.dataDir, 'database/moved'), 'utf8'));
      await client
        .db()
        .collection<{ _id: string }>('letsapp_move')
        .insertOne({ _id: 'move', move: id } as never);
      await client.close();
      expect(await move(['--to', target.url])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('MONGODB_URL'),
      });

      const next = await startProcessForTest({ dataDir: server.dataDir, env: { MONGODB_URL: target.url } });
      const found = new Map<string, string>();
      for (const [i, account] of accounts.entries()) {
        devices[i] = await connect(next.url, account);
        for (const client_message_id of pending[i]!) {
          const payload = { recipient_id: devices[other(i)]!.id, content: client_message_id, client_message_id };
          acknowledged.set(client_message_id, (await devices[i]!.ok('message:send', payload)).message._id);
        }
      }
      for (const [i, device] of devices.entries()) {
        const { ids } = await syncFrom(device, known[i]!.cursor);
        expect(new Set(ids).size).toBe(ids.length);
        const whole = await syncFrom(device, {});
        expect(ids.filter((message) => !whole.ids.includes(message))).toEqual([]);
        for (const peer of accounts) {
          if (peer.id === device.id) continue;
          for (let after_seq = 0, more = true; more; ) {
            const page = await device.ok('message:history', { recipient_id: peer.id, after_seq, limit: 200 });
            for (const { _id, seq, client_message_id } of page.messages) {
              expect(seq).toBe(++after_seq);
              if (client_message_id) found.set(client_message_id, _id);
            }
            more = page.has_more;
          }
        }
      }
      expect([...acknowledged].filter(([sent, message]) => found.get(sent) !== message).slice(0, 5)).toEqual([]);
      expect(await bytesOf(next.url, json.media._id)).toEqual(picture);
      // What was under way when writes ended for good is as after a crash.
      const doctor = await runTool(['doctor', '--repair'], { DATA_DIR: server.dataDir, MONGODB_URL: target.url });
      expect(doctor).toMatchObject({ code: 0, stderr: '' });
    },
  );
});
