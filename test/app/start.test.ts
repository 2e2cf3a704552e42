import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { connect, register } from '../support/client.ts';
import { startEmbeddedDatabase } from '../support/database.ts';
import { newDatabaseUrl, outerUrl } from '../support/outer-database.ts';
import { freePort } from '../support/redis.ts';
import { startProcessForTest, startServerProcess } from '../support/server-process.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'letsapp-start-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts a server that is expected to end by itself. */
function start(env: Record<string, string>): Promise<Ended> {
  const child = spawn(process.execPath, ['dist/server/main.js'], {
    env: { PATH: process.env.PATH, PORT: '0', DATA_DIR: path.join(folder, 'data'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}

/** Expects that it said why in one matching line, and ended with an error. */
function expectRefusal({ code, stdout, stderr }: Ended, reason: RegExp): void {
  expect(stderr).toMatch(reason);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(code).toBeGreaterThan(0);
  expect(stdout).not.toContain('listening');
}

describe('a start', () => {
  it.each([
    ['PORT', 'http'],
    ['JWT_PRIVATE_KEY', 'no key'],
  ])('with %s=%s ends with one line that names the variable', async (name, value) => {
    expectRefusal(await start({ [name]: value }), new RegExp(name));
  });

  it('does not quote a secret', async () => {
    const ended = await start({ MONGODB_URL: 'mysql://user:hunter2@db/letsapp' });
    expectRefusal(ended, /MONGODB_URL/);
    expect(ended.stderr).not.toContain('hunter2');
  });

  it('in production without a signing key ends with one line', async () => {
    expectRefusal(await start({ NODE_ENV: 'production' }), /JWT_SECRET/);
  });

  it('on a taken port ends with one line', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const ended = await start({ PORT: String(port) });
    other.close();
    expectRefusal(ended, new RegExp(`PORT ${port} `));
  });

  it.each([
    ['HOST', 'no.such.host.invalid'],
    ['HOST', '192.0.2.1'],
    ['MONGODB_URL', 'mongodb://127.0.0.1:99999/letsapp'],
    ['MONGODB_URL', 'mongodb://127.0.0.1/letsapp?noSuchOption=1'],
  ])('with %s=%s, which only fails in use, names the variable as well', async (name, value) => {
    expectRefusal(await start({ [name]: value }), new RegExp(name));
  });

  it('without its database ends with one line', async () => {
    const port = await freePort();
    const ended = await start({ MONGODB_URL: `mongodb://user:hunter2@127.0.0.1:${port}/letsapp` });
    expectRefusal(ended, /MONGODB_URL.*ECONNREFUSED/);
    expect(ended.stderr).not.toContain('hunter2');
  });

  it('on a data folder that cannot be used ends with one line', async () => {
    const file = path.join(folder, 'file');
    await writeFile(file, '');
    for (const dataDir of [file, path.join(file, 'below'), '/proc/below']) {
      expectRefusal(await start({ DATA_DIR: dataDir }), /DATA_DIR/);
    }
  });

  it('with a database but a data folder that cannot be used ends with one line', async () => {
    const database = await startEmbeddedDatabase();
    onTestFinished(database.stop);
    const file = path.join(folder, 'other-file');
    await writeFile(file, '');
    // The folder holds the generated secret, and uploads pass through it.
    for (const secret of ['', 'x'.repeat(32)]) {
      expectRefusal(await start({ MONGODB_URL: database.url, DATA_DIR: file, JWT_SECRET: secret }), /DATA_DIR/);
    }
  });

  it('on the data folder of a running server ends with one line', async () => {
    // Without a database of its own, two servers may share a folder.
    if (outerUrl) return;
    const server = await startProcessForTest();
    expectRefusal(await start({ DATA_DIR: server.dataDir }), /in use/);
  });
});

describe('a server', () => {
  it('serves long polling at every address of localhost at which it serves anything', async () => {
    const server = await startProcessForTest({ env: { HOST: 'localhost' } });
    const { port } = new URL(server.url);
    for (const host of ['127.0.0.1', '[::1]']) {
      const ask = (route: string) => fetch(`http://${host}:${port}${route}`).then(({ status }) => status);
      const status = await ask('/healthz').catch(() => undefined);
      if (host === '127.0.0.1') expect(status).toBe(200);
      if (status === 200) expect(await ask('/socket.io/?EIO=4&transport=polling')).toBe(200);
    }
  });

  it('prints one line with its URL, in production as all lines in JSON', async () => {
    const server = await startServerProcess({
      env: { NODE_ENV: 'production', JWT_SECRET: 'x'.repeat(32), LOG_LEVEL: 'debug' },
    });
    await fetch(`${server.url}/healthz`);
    expect(await server.stop()).toBe(0);
    const lines = server.output().trimEnd().split('\n');
    const [address, ...others] = lines.filter((line) => line.includes('listening on'));
    expect(JSON.parse(address!).msg).toMatch(/^listening on http:\/\/127\.0\.0\.1:\d+ after \d+ ms$/);
    expect(others).toEqual([]);
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty('msg');
  });

  it('keeps its generated secret, so that sessions outlive a restart', async () => {
    const dataDir = await mkdtemp(path.join(folder, 'kept-'));
    const first = await startServerProcess({ dataDir });
    const account = await register(first.url);
    expect(await first.stop()).toBe(0);
    const second = await startServerProcess({ dataDir });
    const device = await connect(second.url, account);
    device.close();
    expect(await second.stop()).toBe(0);
  });

  it.each(['start', 'database'])('started by npm run %s ends when npm is stopped', async (script) => {
    const own = { PORT: '0', DATABASE_PORT: '0', DATA_DIR: path.join(folder, `npm-${script}`) };
    const database = outerUrl ? { MONGODB_URL: newDatabaseUrl(outerUrl) } : {};
    const env = { ...process.env, ...own, ...database };
    const npm = spawn('npm', ['run', script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => npm.once('exit', (code, signal) => resolve(code ?? signal)));
    const url = await new Promise<string>((resolve) => {
      let output = '';
      npm.stdout.on('data', (chunk) => {
        output += chunk;
        const found = /listening on \w+(:\/\/[\d.:]+)/.exec(output)?.[1];
        if (found) resolve(`http${found}`);
      });
    });
    npm.kill('SIGTERM');
    expect(await ended).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
  });

  it('exits with 0 on SIGINT', async () => {
    const server = await startServerProcess();
    server.signal('SIGINT');
    expect(await server.stop()).toBe(0);
  });
});
