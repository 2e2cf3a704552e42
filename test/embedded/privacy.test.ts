import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MongoClient } from 'mongodb';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startEmbedded } from '../../server/embedded/start.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'letsapp-privacy-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
});

async function started(dataDir: string) {
  const database = await startEmbedded({ dataDir });
  onTestFinished(() => database.close());
  return database;
}

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

async function expectPrivate(dataDir: string): Promise<void> {
  const database = join(dataDir, 'database');
  expect(await modeOf(database)).toBe(0o700);
  const names = readdirSync(database);
  expect(names).toEqual(expect.arrayContaining(['data.mdb', 'lock.mdb', 'redo-0', 'redo-1', 'database.sock']));
  for (const name of names) expect([name, await modeOf(join(database, name))]).toEqual([name, 0o600]);
}

const socketOf = (url: string) => decodeURIComponent(url.slice('mongodb://'.length, -'/letsapp'.length));

/** The ports that this process listens on, in any thread. Source: proc(5), `/proc/net/tcp`. */
function listeningPorts(): string[] {
  const own = readdirSync('/proc/self/fd').map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`);
    } catch {
      return '';
    }
  });
  const lines = ['tcp', 'tcp6'].flatMap((table) => readFileSync(`/proc/net/${table}`, 'utf8').split('\n').slice(1));
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === '0A' && own.includes(`socket:[${inode}]`))
    .map(([, address]) => address!);
}

/** Starts a database in a process of its own and kills it. */
async function startAndKill(dataDir: string): Promise<void> {
  const program = `import('./dist/server/embedded/start.js')
    .then(({ startEmbedded }) => startEmbedded({ dataDir: ${JSON.stringify(dataDir)} }))
    .then(() => process.kill(process.pid, 'SIGKILL'));`;
  const child = spawn(process.execPath, ['-e', program], { stdio: 'inherit' });
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
}

describe('the files of the database', () => {
  it('are open to nobody else, whatever the umask', async () => {
    const dataDir = join(folder, 'data');
    const mask = process.umask(0);
    await started(dataDir).finally(() => process.umask(mask));
    expect(await modeOf(dataDir)).toBe(0o700);
    await expectPrivate(dataDir);
  });

  it('that an earlier version left open are closed at the next start', async () => {
    const database = join(folder, 'database');
    await mkdir(database);
    await chmod(database, 0o755);
    for (const name of ['data.mdb', 'lock.mdb', 'lock']) {
      await writeFile(join(database, name), '');
      await chmod(join(database, name), 0o666);
    }
    await started(folder);
    await expectPrivate(folder);
  });
});

describe('the database that a server brings along', () => {
  it('listens on no port, unlike one with a port of its own, and cannot be reached by another user of the machine', async () => {
    if (process.getuid?.() !== 0) throw new Error('this test becomes another user: run it as root');
    const before = listeningPorts();
    const { url } = await started(folder);
    expect(url).toMatch(/^mongodb:\/\/%2F/);
    expect(listeningPorts()).toEqual(before);
    const other = await startEmbedded({ dataDir: join(folder, 'other'), port: 0 });
    onTestFinished(() => other.close());
    expect(listeningPorts()).toHaveLength(before.length + 1);
    // Even where the folders on the way are open.
    await chmod(folder, 0o755);
    await chmod(join(folder, 'database'), 0o755);
    const program = `require('net').connect(${JSON.stringify(socketOf(url))}).on('error', (e) => console.log(e.code))
      .on('connect', () => { console.log('connected'); process.exit(); });`;
    const outcome = async (uid: number) => {
      const child = spawn(process.execPath, ['-e', program], { uid, stdio: ['ignore', 'pipe', 'inherit'] });
      return String((await once(child.stdout, 'data'))[0]).trim();
    };
    expect(await outcome(65534)).toBe('EACCES');
    expect(await outcome(0)).toBe('connected');
  });

  it.each([
    ['a long path', 'long'.repeat(30)],
    ['a path that drivers do not pass on', 'a %41 ü'],
  ])('has its socket elsewhere for %s, and nothing is left of it, even after kill -9', async (_, name) => {
    const dataDir = join(folder, name);
    const link = join(dataDir, 'database', 'database.sock');
    await startAndKill(dataDir);
    const left = dirname(await readlink(link));
    expect(existsSync(left)).toBe(true);

    const { url, close } = await startEmbedded({ dataDir });
    expect(existsSync(left)).toBe(false);
    const socket = socketOf(url);
    expect(await readlink(link)).toBe(socket);
    expect(await modeOf(dirname(socket))).toBe(0o700);
    expect(await modeOf(socket)).toBe(0o600);
    const client = await new MongoClient(url).connect();
    expect(await client.db().command({ ping: 1 })).toMatchObject({ ok: 1 });
    await client.close();
    await close();
    expect(existsSync(dirname(socket))).toBe(false);
    expect(readdirSync(join(dataDir, 'database'))).not.toContain('database.sock');
  });

  it('starts where a killed process left its socket, or a link that points elsewhere, which stays untouched', async () => {
    await startAndKill(folder);
    const socket = join(folder, 'database', 'database.sock');
    expect(existsSync(socket)).toBe(true);
    await (await startEmbedded({ dataDir: folder })).close();
    const other = join(folder, 'other');
    await mkdir(other);
    await writeFile(join(other, 'database.sock'), 'mine');
    await symlink(join(other, 'database.sock'), socket);
    await (await startEmbedded({ dataDir: folder })).close();
    expect(readdirSync(other)).toEqual(['database.sock']);
  });
});
