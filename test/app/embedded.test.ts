/** A server with the database that it brings along: what becomes of both when the disk is bad or full. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect, http, register } from '../support/client.ts';
import { startProcessForTest, startServerProcess } from '../support/server-process.ts';
import { smallDiskForTest } from '../support/small-disk.ts';

const MIB = 1024 * 1024;

/** Not on the database that the environment names for the other tests. */
const OWN_DATABASE = { env: { MONGODB_URL: '' } };

/** Starts a server that is expected to end by itself. Returns what it said. */
function refusal(dataDir: string): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, ['dist/server/main.js'], {
    env: { PATH: process.env.PATH, PORT: '0', DATA_DIR: dataDir },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stderr })));
}

async function temporary(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'letsapp-app-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe('a start with a damaged database', () => {
  it('ends with one line that names the file and DATA_DIR, and changes nothing', async () => {
    const dataDir = await temporary();
    const server = await startServerProcess({ ...OWN_DATABASE, dataDir });
    await register(server.url);
    await server.kill();
    const files = ['redo-0', 'redo-1'].map((name) => path.join(dataDir, 'database', name));
    const contents = await Promise.all(files.map((file) => readFile(file)));
    const at = contents.findIndex((bytes) => bytes.includes('example.test'));
    const bytes = Buffer.from(contents[at]!);
    bytes[bytes.indexOf('example.test')]! ^= 1;
    await writeFile(files[at]!, bytes);
    for (let attempt = 0; attempt < 2; attempt++) {
      const { code, stderr } = await refusal(dataDir);
      expect(stderr).toMatch(/^letsapp: [^\n]*database\/redo-\d in DATA_DIR is damaged [^\n]+\n$/);
      expect(code).toBe(1);
    }
    await writeFile(files[at]!, contents[at]!);
    const again = await startServerProcess({ ...OWN_DATABASE, dataDir });
    expect(await again.stop()).toBe(0);

    await truncate(path.join(dataDir, 'database', 'data.mdb'), 10_000);
    const { code, stderr } = await refusal(dataDir);
    expect(stderr).toMatch(/^letsapp: [^\n]*database\/data\.mdb in DATA_DIR is damaged [^\n]+\n$/);
    expect(code).toBe(1);
  });
});

describe('a server on a full disk', () => {
  it('refuses what it cannot store as unavailable, goes on reading, and takes it again once there is room', async () => {
    const disk = smallDiskForTest(32 * MIB);
    const dataDir = path.join(disk.folder, 'data');
    // With nothing to be kept free, so that the disk itself refuses.
    const server = await startProcessForTest({ env: { ...OWN_DATABASE.env, MIN_FREE_BYTES: '0' }, dataDir });
    const [a, b] = [await register(server.url), await register(server.url)];
    const device = await connect(server.url, a);
    onTestFinished(() => device.close());
    const send = (content: string) => device.raw('message:send', { recipient_id: b.id, content });
    await device.ok('message:send', { recipient_id: b.id, content: 'before' });
    await disk.leave(0);
    const acknowledged: string[] = [];
    const attempt = async () => {
      const content = `${acknowledged.length} ${'x'.repeat(15_000)}`;
      const { ok, error } = await send(content);
      if (ok) acknowledged.push(content);
      return error;
    };
    // The redo log has room for some. Then comes a checkpoint.
    await expect.poll(attempt, { timeout: 40_000, interval: 1 }).toMatchObject({ code: 'unavailable' });

    /** All contents, the newest first: a page ends at 512 KiB. */
    const history = async () => {
      const contents: unknown[] = [];
      for (let before: { before_seq?: number } = {}, more = true; more; ) {
        const page = await device.ok('message:history', { recipient_id: b.id, limit: 200, ...before });
        contents.push(...page.messages.map(({ content }) => content).reverse());
        before = { before_seq: page.messages[0]?.seq ?? 0 };
        more = page.has_more;
      }
      return contents;
    };
    expect(await history()).toContain(acknowledged.at(-1) ?? 'before');
    expect(await device.ok('user:get', { user_id: b.id })).toMatchObject({ user: { _id: b.id } });
    expect((await http(server.url, 'GET', '/healthz')).status).toBe(200);
    expect(await send('still full')).toMatchObject({ ok: false, error: { code: 'unavailable' } });

    await disk.empty();
    await expect.poll(async () => (await send('after')).ok, { timeout: 45_000 }).toBe(true);
    const contents = await history();
    expect(contents).not.toContain('still full');
    expect(contents).toEqual(expect.arrayContaining([...acknowledged, 'after']));
    expect(server.output()).toMatch(/refuses writes[\s\S]*takes writes again/);
    expect(await server.stop()).toBe(0);
  });
});
