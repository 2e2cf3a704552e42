import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../../server/config.ts';
import { connect, register } from '../support/client.ts';
import { startProgram, startServer, startServerForTest } from '../support/server.ts';

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
  const child = spawn(process.execPath, ['--import', 'tsx', 'server/main.ts'], {
    env: { PATH: process.env.PATH, PORT: '0', DATA_DIR: path.join(folder, 'data'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
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

/** It said why in one line that matches, and ended with an error. */
function expectRefusal({ code, stdout, stderr }: Ended, reason: RegExp): void {
  expect(stderr).toMatch(reason);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(code).toBeGreaterThan(0);
  expect(stdout).not.toContain('listening');
}

describe('the configuration', () => {
  it.each([
    ['PORT', 'http'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['ACCESS_TOKEN_TTL_S', '15m'],
    ['BCRYPT_COST', '3'],
    ['BCRYPT_COST', '16'],
    ['CORS_ORIGINS', 'app.example.org'],
    ['CORS_ORIGINS', 'https://app.example.org/path'],
    ['CORS_ORIGINS', 'capacitor://localhost/'],
    ['CORS_ORIGINS', '*'],
    ['JWT_SECRET', 'short'],
    ['MONGODB_URL', 'localhost:27017'],
    ['REDIS_URL', 'localhost'],
    ['REDIS_URL', 'redis://a,http://b'],
    ['REDIS_URL', 'redis://'],
    ['SMTP_URL', 'mail.example.org'],
    ['SMTP_URL', 'smtp://'],
    ['PUBLIC_URL', 'example.org'],
    ['PUBLIC_URL', 'https://example.org/?a=b'],
    ['RATE_LIMITS', 'no'],
    ['LOG_LEVEL', 'loud'],
    ['NODE_ENV', 'prod'],
    ['ICE_SERVERS', '{"urls":'],
    ['ICE_SERVERS', '[{"urls":"stun.example.org"}]'],
    ['TURN_SECRET', 'without urls'],
    ['MAX_UPLOAD_BYTES', '0'],
    ['GROUP_MAX_MEMBERS', '1e3'],
    ['CALL_RING_TIMEOUT_MS', '45s'],
  ])('refuses %s=%s with one line that names it', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(new RegExp(`^.*${name}.*$`));
  });
});

it('takes access tokens of weeks, and the origins of apps that are built of pages', () => {
  const origins = ['https://app.example.org', 'http://localhost:5173', 'capacitor://localhost', 'app://chat'];
  const config = readConfig({ ACCESS_TOKEN_TTL_S: '2592000', CORS_ORIGINS: origins.join(', ') });
  expect([config.accessTokenTtlS, config.corsOrigins]).toEqual([2_592_000, origins]);
});

describe('a start', () => {
  it.each([
    ['PORT', 'http'],
    ['JWT_PRIVATE_KEY', 'no key'],
  ])('with %s=%s ends with one line that names it', async (name, value) => {
    expectRefusal(await start({ [name]: value }), new RegExp(name));
  });

  it('does not repeat a secret in what it says', async () => {
    const ended = await start({ MONGODB_URL: 'mysql://user:hunter2@db/letsapp' });
    expectRefusal(ended, /MONGODB_URL/);
    expect(ended.stderr).not.toContain('hunter2');
  });

  it('in production without a secret of its own ends with one line', async () => {
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
  ])('with %s=%s, which only its use shows to be wrong, names it as well', async (name, value) => {
    expectRefusal(await start({ [name]: value }), new RegExp(name));
  });

  it('without its database ends with one line, within seconds', async () => {
    const unused = createServer();
    await new Promise<void>((resolve) => unused.listen(0, '127.0.0.1', resolve));
    const { port } = unused.address() as { port: number };
    await new Promise((resolve) => unused.close(resolve));
    const startedAt = Date.now();
    const ended = await start({ MONGODB_URL: `mongodb://user:hunter2@127.0.0.1:${port}/letsapp` });
    expectRefusal(ended, /MONGODB_URL.*ECONNREFUSED/);
    expect(ended.stderr).not.toContain('hunter2');
    expect(Date.now() - startedAt).toBeLessThan(20_000);
  });

  it('on a data folder that cannot be used ends with one line', async () => {
    const file = path.join(folder, 'file');
    await writeFile(file, '');
    for (const dataDir of [file, path.join(file, 'below'), '/proc/below']) {
      expectRefusal(await start({ DATA_DIR: dataDir }), /DATA_DIR/);
    }
  });

  it('with a database but a data folder that cannot be used ends with one line', async () => {
    const database = await startProgram('server/embedded/main.ts', {
      DATABASE_PORT: '0',
      DATA_DIR: path.join(folder, 'database'),
    });
    onTestFinished(() => void database.child.kill('SIGKILL'));
    const file = path.join(folder, 'other-file');
    await writeFile(file, '');
    // The generated secret is kept there, and uploads pass through it.
    for (const secret of ['', 'x'.repeat(32)]) {
      expectRefusal(await start({ MONGODB_URL: database.url, DATA_DIR: file, JWT_SECRET: secret }), /DATA_DIR/);
    }
  });

  it('on the data folder of a running server ends with one line', async () => {
    if (process.env.MONGODB_URL) return;
    const server = await startServerForTest();
    expectRefusal(await start({ DATA_DIR: server.dataDir }), /in use/);
  });
});

describe('a server', () => {
  it('takes an empty variable for an unset one', async () => {
    const server = await startServer({ env: { CORS_ORIGINS: '', MAX_UPLOAD_BYTES: '', SMTP_URL: '' } });
    expect(await server.stop()).toBe(0);
  });

  it('serves long polling at every address of localhost that it serves anything at', async () => {
    const server = await startServerForTest({ env: { HOST: 'localhost' } });
    const { port } = new URL(server.url);
    for (const host of ['127.0.0.1', '[::1]']) {
      const ask = (route: string) => fetch(`http://${host}:${port}${route}`).then(({ status }) => status);
      const status = await ask('/healthz').catch(() => undefined);
      if (host === '127.0.0.1') expect(status).toBe(200);
      if (status === 200) expect(await ask('/socket.io/?EIO=4&transport=polling')).toBe(200);
    }
  });

  it('prints one line with its address, and JSON lines in production', async () => {
    const server = await startServer({
      env: { NODE_ENV: 'production', JWT_SECRET: 'x'.repeat(32), LOG_LEVEL: 'debug' },
    });
    await fetch(`${server.url}/healthz`);
    expect(await server.stop()).toBe(0);
    const lines = server.output().trimEnd().split('\n');
    const [address, ...others] = lines.filter((line) => line.includes('listening on'));
    expect(address).toMatch(/listening on http:\/\/127\.0\.0\.1:\d+$/);
    expect(others).toEqual([]);
    const logged = lines.filter((line) => line !== address);
    expect(logged.length).toBeGreaterThan(0);
    for (const line of logged) expect(JSON.parse(line)).toHaveProperty('msg');
  });

  it('keeps the secret that it generated, so that sessions outlive a restart', async () => {
    const dataDir = await mkdtemp(path.join(folder, 'kept-'));
    const first = await startServer({ dataDir });
    const account = await register(first.url);
    expect(await first.stop()).toBe(0);
    const second = await startServer({ dataDir });
    const device = await connect(second.url, account);
    device.close();
    expect(await second.stop()).toBe(0);
  });

  it.each(['start', 'database'])('started by npm run %s ends when npm is told to', async (script) => {
    const env = { ...process.env, PORT: '0', DATABASE_PORT: '0', DATA_DIR: path.join(folder, `npm-${script}`) };
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

  it('ends with 0 on SIGINT', async () => {
    const server = await startServer();
    server.signal('SIGINT');
    expect(await server.stop()).toBe(0);
  });
});
