import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDatabase, stop } from '../differential/harness.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'letsapp-start-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs a database that fails to start, until it has ended. */
async function failed(env: Record<string, string>) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'server/embedded/main.ts'], {
    env: { ...process.env, DATABASE_PORT: '0', DATA_DIR: folder, ...env },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const [code] = await once(child, 'close');
  return { code, stdout, stderr, pid: child.pid };
}

describe('the database alone', () => {
  it('serves several clients at the address that it prints, and stops cleanly', async () => {
    const { child, url } = await startDatabase(join(folder, 'alone'));
    expect(url).toMatch(/^mongodb:\/\/127\.0\.0\.1:\d+\/letsapp$/);
    const clients = await Promise.all(Array.from({ length: 5 }, () => new MongoClient(url).connect()));
    await Promise.all(clients.map((client, n) => client.db().collection('c').insertOne({ n })));
    expect(await clients[0]!.db().collection('c').countDocuments()).toBe(5);
    await Promise.all(clients.map((client) => client.close()));
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });

  it('keeps its data across a restart', async () => {
    const dataDir = join(folder, 'restart');
    const first = await startDatabase(dataDir);
    const client = new MongoClient(first.url);
    await client.db().collection('c').createIndex({ a: 1 }, { unique: true });
    await client.db().collection('c').insertOne({ a: 1 });
    await client.close();
    await stop(first.child);
    const second = await startDatabase(dataDir);
    const again = new MongoClient(second.url);
    expect(await again.db().collection('c').indexes()).toHaveLength(2);
    await expect(again.db().collection('c').insertOne({ a: 1 })).rejects.toMatchObject({ code: 11000 });
    await again.close();
    await stop(second.child);
  });

  it('refuses a port in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const { code, stderr } = await failed({ DATABASE_PORT: String(port), DATA_DIR: join(folder, 'port') });
    server.close();
    expect(code).not.toBe(0);
    expect(stderr).toBe(`port ${port} (DATABASE_PORT) of 127.0.0.1 is in use\n`);
  });

  it.each(['x', '-1', '65536', '1.5', ' '])('refuses the port "%s"', async (port) => {
    const { code, stderr } = await failed({ DATABASE_PORT: port });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^DATABASE_PORT must be a port number[^\n]*\n$/);
  });

  it('refuses a data folder that cannot be created', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    await chmod(file, 0o600);
    const { code, stderr } = await failed({ DATA_DIR: file });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^data folder .* cannot be used: \w+\n$/);
  });
});
