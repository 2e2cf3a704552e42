/** Servers on one database of which nobody has set `REDIS_URL`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type Device, http, register } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';

const JWT_SECRET = 'the same secret on both of the servers';

let database: TestDatabase;
let one: ServerProcess;
beforeAll(async () => {
  database = await startDatabase();
  one = await startServerProcess({ env: { MONGODB_URL: database.url, JWT_SECRET } });
});
afterAll(async () => {
  await one.kill();
  await database.stop();
});

const readiness = async ({ url }: ServerProcess) => (await http(url, 'GET', '/readyz')).json;
const says = (server: ServerProcess) => server.output().includes('REDIS_URL is not set');

describe('a server', () => {
  it('that is alone says nothing, and is ready', async () => {
    expect(await readiness(one)).toEqual({ status: 'ok', mongodb: true, disk: 'ok' });
    expect(says(one)).toBe(false);
  });
});

describe('a second server', () => {
  let two: ServerProcess;
  let a: Device;
  let b: Device;
  beforeAll(async () => {
    [a, b] = await Promise.all([
      register(one.url).then((account) => connect(one.url, account)),
      register(one.url).then((account) => connect(one.url, account)),
    ]);
    // Both have what they may do in mind.
    await a.ok('message:send', { recipient_id: b.id, content: 'hello' });
    await b.ok('message:send', { recipient_id: a.id, content: 'hello' });
    two = await startServerProcess({ env: { MONGODB_URL: database.url, JWT_SECRET } });
  });
  afterAll(() => two.kill());

  it('says so at its start, and both when they are asked', async () => {
    expect(says(two)).toBe(true);
    expect(await readiness(two)).toEqual({ status: 'degraded', mongodb: true, unlinked_nodes: 1, disk: 'ok' });
    await expect
      .poll(() => readiness(one), { timeout: 30_000 })
      .toMatchObject({ status: 'degraded', unlinked_nodes: 1, disk: 'ok' });
    expect((await http(one.url, 'GET', '/readyz')).status).toBe(200);
    expect(says(one)).toBe(true);
  });

  it('takes no right for granted that the other may have taken away, nor does the first', async () => {
    const [a2, b2] = await Promise.all([connect(two.url, a.account), connect(two.url, b.account)]);
    const { group } = await a.ok('group:create', { name: 'G', member_ids: [b.id] });
    const inGroup = { group_id: group._id, content: 'x' };
    const inPair = { recipient_id: a.id, content: 'x' };
    for (const device of [b, b2]) {
      await device.ok('message:send', inGroup);
      await device.ok('message:send', inPair);
    }
    await a2.ok('contact:block', { user_id: b.id });
    await a.ok('group:remove_member', { group_id: group._id, user_id: b.id });
    for (const device of [b, b2]) {
      expect((await device.refused('message:send', inPair)).code).toBe('forbidden');
      expect((await device.refused('message:send', inGroup)).code).toBe('not_found');
    }
  });

  it('leaves the first alone again when it ends', async () => {
    await two.stop();
    await expect.poll(() => readiness(one), { timeout: 30_000 }).toEqual({ status: 'ok', mongodb: true, disk: 'ok' });
  });
});
