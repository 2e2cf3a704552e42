/** `npm run keys`, and who is let in with a key (PROTOCOL section 12). */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, connect, http, register } from '../support/client.ts';
import { startDatabase, startEmbeddedDatabase, type TestDatabase } from '../support/database.ts';
import { removeAtExit } from '../support/program.ts';
import { type ServerProcess, startProcessForTest, startServerProcess } from '../support/server-process.ts';
import { createKey, runKeys } from './run-keys.ts';

const SECRET = 'the same secret for both of the servers';
const API_KEY = 'the-key-of-the-setting-0123456789';

let database: TestDatabase;
let nodes: [ServerProcess, ServerProcess];
let ann: Account;
/** Where `npm run keys` finds the database of the nodes. */
let env: Record<string, string>;
beforeAll(async () => {
  database = await startDatabase();
  env = { MONGODB_URL: database.url };
  const start = () => startServerProcess({ env: { ...env, JWT_SECRET: SECRET, API_KEY, LOG_LEVEL: 'info' } });
  nodes = [await start(), await start()];
  ann = await register(nodes[0].url);
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.kill()));
  await database.stop();
});

/** Uses a key as ann, for something that changes nothing. */
const use = (key: string, node = nodes[0], actAs = ann.id) =>
  http(node.url, 'POST', '/api/group/list', { token: key, headers: { 'x-act-as': actAs } });

describe('npm run keys', () => {
  it('makes a key that is shown once; of it only a hash is stored', async () => {
    const { key, id } = await createKey(env, 'the shop');
    expect((await use(key)).status).toBe(200);
    const client = await new MongoClient(database.url).connect();
    const stored = await client.db().collection<{ _id: string }>('server_keys').findOne({ _id: id });
    await client.close();
    expect(stored).toMatchObject({ name: 'the shop' });
    expect(JSON.stringify(stored)).not.toContain(key.split('_').slice(2).join('_'));
    expect((await runKeys(env, 'list')).stdout).not.toContain(key);
  });

  it('lists name, id, when each was made, and its last use', async () => {
    const { key, id } = await createKey(env, 'listed one');
    const line = async () => (await runKeys(env, 'list')).stdout.split('\n').find((one) => one.startsWith(id));
    expect(await line()).toMatch(/^[0-9a-f]{16} {2}\d{4}-\S+Z {2}never +listed one$/);
    await use(key);
    await expect.poll(line).toMatch(/^[0-9a-f]{16} {2}\d{4}-\S+Z {2}\d{4}-\S+Z {2}listed one$/);
  });

  it('revokes a key on every node at once', async () => {
    const { key, id } = await createKey(env);
    for (const node of nodes) expect((await use(key, node)).status).toBe(200);
    expect(await runKeys(env, 'revoke', id)).toEqual({ code: 0, stdout: `${id} is revoked\n`, stderr: '' });
    for (const node of nodes) expect((await use(key, node)).status).toBe(401);
    const again = await runKeys(env, 'revoke', id);
    expect([again.code, again.stderr]).toEqual([1, `letsapp: there is no key ${id}\n`]);
  });

  it.each([[[]], [['create']], [['create', 'two', 'words']], [['list', 'all']], [['revoke']], [['destroy', 'x']]])(
    'says how it is used when it is given %j',
    async (words) => {
      const ran = await runKeys(env, ...words);
      expect(ran).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(/^letsapp: use: npm run keys/) });
    },
  );

  it('refuses a name that would not show in a line', async () => {
    for (const name of ['', 'a\nb', 'x'.repeat(101)]) expect((await runKeys(env, 'create', name)).code).toBe(1);
  });
});

describe('npm run keys on the embedded database', () => {
  /** Never that of the tests. */
  const OWN = { MONGODB_URL: '' };

  it('works while no server runs, beside one that runs, and after one was killed', async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'letsapp-test-'));
    removeAtExit(dataDir);
    const own = { ...OWN, DATA_DIR: dataDir };
    const before = await createKey(own, 'before');
    const server = await startProcessForTest({ dataDir, env: OWN });
    const beside = await createKey(own, 'beside');
    const user = await register(server.url);
    for (const { key } of [before, beside]) expect((await use(key, server, user.id)).status).toBe(200);
    expect((await runKeys(own, 'revoke', before.id)).code).toBe(0);
    expect((await use(before.key, server, user.id)).status).toBe(401);
    await server.kill();
    const { stdout } = await runKeys(own, 'list');
    expect([stdout.includes(before.id), stdout.includes(beside.id)]).toEqual([false, true]);
    const again = await startProcessForTest({ dataDir, env: OWN });
    expect((await use(beside.key, again, user.id)).status).toBe(200);
  });

  it('works beside one that runs as a program of its own', async () => {
    const alone = await startEmbeddedDatabase();
    const { id } = await createKey({ ...OWN, DATA_DIR: alone.folder });
    const { stdout } = await runKeys({ MONGODB_URL: alone.url }, 'list');
    expect(stdout).toContain(id);
    await alone.stop();
  });
});

describe('a server key', () => {
  it('of API_KEY is one that no store has', async () => {
    expect((await use(API_KEY)).status).toBe(200);
    expect((await use(`${API_KEY}0`)).status).toBe(401);
    expect((await runKeys(env, 'list')).stdout).not.toContain('API_KEY');
  });

  it('is refused where a user’s token is expected', async () => {
    const { key } = await createKey(env);
    for (const token of [key, API_KEY]) {
      for (const [method, route] of [
        ['GET', '/users/me'],
        ['GET', '/auth/sessions'],
        ['POST', '/auth/logout'],
      ] as const) {
        const headers = { 'x-act-as': ann.id };
        expect((await http(nodes[0].url, method, route, { token })).status).toBe(401);
        expect((await http(nodes[0].url, method, route, { token, headers })).status).toBe(401);
      }
      await expect(connect(nodes[0].url, { ...ann, access_token: token })).rejects.toMatchObject({
        data: { code: 'unauthenticated' },
      });
    }
    const device = await connect(nodes[0].url, ann);
    expect((await device.refused('auth:renew', { token: key })).code).toBe('unauthenticated');
    device.close();
  });

  it('is refused when a character of it is wrong, or all but its id', async () => {
    const { key, id } = await createKey(env);
    const others = [
      `${key.slice(0, -1)}${key.endsWith('A') ? 'Q' : 'A'}`,
      `lsk_${id}_${'A'.repeat(43)}`,
      key.slice(0, -1),
    ];
    for (const other of [...others, `${key}A`, `lsk_${'0'.repeat(16)}_${'A'.repeat(43)}`]) {
      const answer = await use(other);
      expect([answer.status, answer.json.error.code]).toEqual([401, 'unauthenticated']);
    }
  });

  it('leaves a line in the log when it may have changed something, which never holds the key', async () => {
    const { key, id } = await createKey(env, 'audited backend');
    const token = key;
    const body = { recipient_id: ann.id, content: 'a private text' };
    const sender = await register(nodes[1].url);
    const headers = { 'x-act-as': sender.id };
    expect((await http(nodes[1].url, 'POST', '/api/message/send', { token, headers, body })).status).toBe(200);
    const lines = () =>
      nodes[1]
        .output()
        .split('\n')
        .filter((line) => line.includes('audited backend') || line.includes(id));
    await expect.poll(() => nodes[1].output()).toContain('audited backend');
    expect(nodes[1].output()).toContain('/api/message/send');
    expect(nodes[1].output()).toContain(sender.id);
    expect(nodes[1].output()).not.toContain(key.slice(-20));
    expect(nodes[1].output()).not.toContain('a private text');
    const before = lines().length;
    expect((await http(nodes[1].url, 'GET', `/media/${'0'.repeat(24)}/info`, { token, headers })).status).toBe(404);
    await use(key, nodes[1], '0'.repeat(24));
    expect(lines()).toHaveLength(before);
  });
});
