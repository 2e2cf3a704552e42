import { type Db, MongoClient, ObjectId } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMessageStore } from '../../server/conversations/message-store.ts';
import type { CheckContext } from '../../server/doctor/check.ts';
import { examine } from '../../server/doctor/doctor.ts';
import { bytesInGridfs } from '../../server/doctor/stored-bytes.ts';
import { type Collections, collections as collectionsOf } from '../../server/model/collections.ts';
import { upload } from '../media/client.ts';
import { connect, type Device, registerMany } from '../support/client.ts';
import { startDatabaseAlone, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startServerProcess } from '../support/server-process.ts';
import { DAMAGES, type Patient } from './damages.ts';

let database: TestDatabase;
let client: MongoClient;
let db: Db;
let collections: Collections;
let patient: Patient;

/** A picture of one pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** A pair and a group of three with messages, contacts, a picture and a call that rings, as a server stores them. */
async function live(url: string): Promise<Patient> {
  const accounts = await registerMany(url, 3);
  const [ann, bob, cem] = await Promise.all(accounts.map((account) => connect(url, account)));
  await ann!.ok('contact:request', { user_id: bob!.id });
  await bob!.ok('contact:accept', { user_id: ann!.id });
  const { group } = await ann!.ok('group:create', { name: 'Choir', member_ids: [bob!.id, cem!.id] });
  const { json } = await upload(url, accounts[0]!, '/media', PNG, 'dot.png');
  for (const text of ['one', 'two', 'three']) {
    await ann!.ok('message:send', { recipient_id: bob!.id, content: text });
    await bob!.ok('message:send', { group_id: group._id, content: text });
  }
  await bob!.ok('message:read', { recipient_id: ann!.id, up_to_seq: 3 });
  const attachment = { media_id: json.media._id };
  await ann!.ok('message:send', { recipient_id: bob!.id, content: '', message_type: 'image', attachment });
  await keepAndChange(ann!, bob!, group._id);
  await ann!.ok('call:initiate', { recipient_id: bob!.id, call_type: 'voice' });
  const ids = [ann!, bob!, cem!].map((one) => new ObjectId(one.id));
  return { pair: [ann!.id, bob!.id].sort().join('-'), group: group._id, users: ids };
}

/** What came to a group later: a thread, a mention, an edit, a pin, a deletion; and what users keep for themselves. */
async function keepAndChange(ann: Device, bob: Device, group_id: string): Promise<void> {
  const { messages } = await ann.ok('message:history', { group_id });
  const [one, two] = [...messages].sort((a, b) => a.seq - b.seq);
  await ann.ok('message:send', { group_id, content: 'a reply', thread_id: one!._id });
  await ann.ok('message:send', { group_id, content: 'you', mentions: { user_ids: [bob.id] } });
  await bob.ok('message:edit', { message_id: two!._id, content: 'two, edited' });
  const { message } = await ann.ok('message:send', { group_id, content: 'a mistake' });
  await ann.ok('message:delete', { message_id: message._id });
  await ann.ok('message:pin', { message_id: one!._id, pinned: true });
  await bob.ok('message:save', { message_id: one!._id, saved: true });
  await bob.ok('conversation:update', { group_id, draft: 'begun' });
  await ann.ok('group:invite', { group_id });
  // The newest message of a conversation may be a reply beside it.
  const { group } = await ann.ok('group:create', { name: 'aside', member_ids: [] });
  const { message: root } = await ann.ok('message:send', { group_id: group._id, content: 'a root' });
  await ann.ok('message:send', { group_id: group._id, content: 'aside', thread_id: root._id });
}

/** Everything stored, so that each damage is done to the same patient. */
async function snapshot(): Promise<() => Promise<void>> {
  const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
  const stored = await Promise.all(
    names.map(async (name) => [name, await db.collection(name).find().toArray()] as const),
  );
  return async () => {
    for (const [name, documents] of stored) {
      await db.collection(name).deleteMany({});
      if (documents.length > 0) await db.collection(name).insertMany(documents);
    }
  };
}

async function examined(repair: boolean): Promise<{ found: number; mended: number; lines: string[] }> {
  const lines: string[] = [];
  const context: CheckContext = {
    db,
    collections,
    store: createMessageStore(collections),
    bytes: bytesInGridfs(db),
    clock: () => new Date(),
    log: pino({ level: 'silent' }),
  };
  const report = await examine({ context, repair, secondLookMs: 0, say: (line) => lines.push(line) });
  return { ...report, lines };
}

let restore: () => Promise<void>;

beforeAll(async () => {
  database = await startDatabaseAlone();
  // The call that rings must not be overdue before the last look.
  const server = await startServerProcess({ env: { MONGODB_URL: database.url, CALL_RING_TIMEOUT_MS: '600000' } });
  patient = await live(server.url);
  client = new MongoClient(database.url);
  db = client.db();
  collections = collectionsOf(db);
  // Until nothing is derived any more that a doctor would find behind.
  await eventually(async () => {
    expect(await collections.memberships.countDocuments({ settling_from: { $exists: true } })).toBe(0);
  });
  await server.kill();
  restore = await snapshot();
});

afterAll(async () => {
  await client.close();
  await database.stop();
});

describe('the doctor', () => {
  it('finds nothing in what a server stored', async () => {
    expect((await examined(false)).lines).toEqual([]);
  });

  it.each(DAMAGES)('finds that $name', async ({ check, canBeMended, plant }) => {
    await plant(collections, patient);
    const before = await examined(false);
    expect(before.lines.filter((line) => line.startsWith(`${check}: `))).toHaveLength(1);
    expect(before.mended).toBe(0);
    const treated = await examined(true);
    const verdict = treated.lines.find((line) => line.startsWith(`${check}: `));
    expect(verdict).toMatch(canBeMended ? /: (\d+) found, \1 mended/ : /, 0 mended/);
    if (canBeMended) expect((await examined(false)).lines).toEqual([]);
    else await restore();
  });

  it('finds that the store would take anything, and what it took', async () => {
    await db.command({ collMod: 'groups', validator: {}, validationLevel: 'off' });
    await db.collection('groups').insertOne({ name: 7 });
    const { lines } = await examined(true);
    expect(lines).toContainEqual(expect.stringMatching(/^validators: 1 found, 1 mended/));
    expect(lines).toContainEqual(expect.stringMatching(/^documents: 1 found, 0 mended/));
    await db.collection('groups').deleteOne({ name: 7 });
    expect((await examined(false)).lines).toEqual([]);
  });
});
