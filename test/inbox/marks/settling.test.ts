/** The collections are true to what was told some seconds after the last receipt, whatever dies. */
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type Device, registerMany } from '../../support/client.ts';
import { startDatabase, type TestDatabase } from '../../support/database.ts';
import { type ServerProcess, startServerProcess } from '../../support/server-process.ts';

/** Within which stored messages say what marks say (docs/data.md), and what a slow machine takes besides. */
const TRUE_WITHIN = { timeout: 25_000, interval: 100 };

let database: TestDatabase;
let client: MongoClient;
let db: Db;
let server: ServerProcess;

const start = () => startServerProcess({ env: { MONGODB_URL: database.url } });

beforeAll(async () => {
  database = await startDatabase();
  client = await new MongoClient(database.url).connect();
  db = client.db();
  server = await start();
});
afterAll(async () => {
  await server?.stop();
  await client?.close();
  await database?.stop();
});

async function devices(count: number): Promise<Device[]> {
  const accounts = await registerMany(server.url, count);
  return Promise.all(accounts.map((account) => connect(server.url, account)));
}

/** A pair in which two of three messages were delivered and one read. */
async function pairWithReceipts(): Promise<string> {
  const [a, b] = (await devices(2)) as [Device, Device];
  let id = '';
  for (const content of ['one', 'two', 'three']) {
    id = (await a.ok('message:send', { recipient_id: b.id, content })).message.conversation_id;
  }
  await b.ok('message:delivered', { recipient_id: a.id, up_to_seq: 2 });
  await b.ok('message:read', { recipient_id: a.id, up_to_seq: 1 });
  return id;
}

const statuses = async (conversation_id: string) => {
  const found = await db
    .collection('messages')
    .find({ conversation_id }, { sort: { seq: 1 } })
    .toArray();
  return found.map(({ status }) => status);
};
const unsettled = (conversation_id: string) =>
  db.collection('memberships').countDocuments({ conversation_id, settling_from: { $exists: true } });

describe('stored messages', () => {
  it('of a pair say what was delivered and read, and nothing is left to be settled', async () => {
    const id = await pairWithReceipts();
    await expect.poll(() => statuses(id), TRUE_WITHIN).toEqual(['read', 'delivered', 'sent']);
    await expect.poll(() => unsettled(id), TRUE_WITHIN).toBe(0);
  });

  it('of a group name the readers in the order of reading, and no sender among his own', async () => {
    const [a, b, c] = (await devices(3)) as [Device, Device, Device];
    const { group } = await a.ok('group:create', { name: 'Crew', member_ids: [b.id, c.id] });
    const target = { group_id: group._id };
    for (const [device, content] of [
      [a, 'one'],
      [b, 'two'],
    ] as const)
      await device.ok('message:send', { ...target, content });
    for (const device of [c, b, a]) await device.ok('message:read', { ...target, up_to_seq: 2 });
    const readers = async () => {
      const found = await db
        .collection('group_messages')
        .find({ conversation_id: group._id }, { sort: { seq: 1 } })
        .toArray();
      return found.map(({ read_by }) => (read_by as object[]).map(String));
    };
    await expect.poll(readers, TRUE_WITHIN).toEqual([
      [c.id, b.id],
      [c.id, a.id],
    ]);
  });

  it('say it, too, when the server is killed right after the acknowledgement', async () => {
    const id = await pairWithReceipts();
    await server.kill();
    expect(await unsettled(id)).toBe(1);
    server = await start();
    await expect.poll(() => statuses(id), TRUE_WITHIN).toEqual(['read', 'delivered', 'sent']);
    await expect.poll(() => unsettled(id), TRUE_WITHIN).toBe(0);
  });

  it('say it at once when the server is stopped', async () => {
    const id = await pairWithReceipts();
    await server.stop();
    expect(await statuses(id)).toEqual(['read', 'delivered', 'sent']);
    server = await start();
  });
});
