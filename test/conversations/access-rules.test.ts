import { MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AccessRules, createAccessRules } from '../../server/conversations/access-rules.ts';
import { createVisibility } from '../../server/conversations/visibility.ts';
import { collections } from '../../server/model/collections.ts';
import { pairId } from '../../server/model/conversation-ref.ts';
import type { MessageDocument } from '../../server/model/documents/messages.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { uncached } from '../support/lookups.ts';

let database: TestDatabase;
let client: MongoClient;
let rules: AccessRules;
const commands: string[] = [];

beforeAll(async () => {
  database = await startDatabase();
  client = await new MongoClient(database.url, { monitorCommands: true }).connect();
  rules = createAccessRules(collections(client.db()), createVisibility(false), uncached);
  client.on('commandStarted', ({ commandName }) => void commands.push(commandName));
});
afterAll(async () => {
  await client?.db().dropDatabase();
  await client?.close();
  await database?.stop();
});

const insert = (collection: string, document: object) => client.db().collection(collection).insertOne(document);
const refusal = (code: string) => expect.objectContaining({ code });

async function createUser(is_active = true): Promise<string> {
  const _id = new ObjectId();
  await insert('users', { _id, is_active });
  return _id.toHexString();
}

describe('a pair', () => {
  let ann: string;
  let bob: string;
  beforeEach(async () => {
    [ann, bob] = [await createUser(), await createUser()];
  });

  it('is open to both, with its whole history', async () => {
    const conversation = { id: pairId(ann, bob), kind: 'direct' };
    for (const [user, peer] of [
      [ann, bob],
      [bob, ann],
    ] as const) {
      expect(await rules.enter(user, { recipient_id: peer })).toMatchObject({
        conversation,
        fromSeq: 0,
        blocked: false,
        peerActive: true,
        isAdmin: false,
        permits: { send: true, pin: true, mention_everyone: true },
        slowModeS: 0,
      });
    }
  });

  it('needs another user, who exists', async () => {
    await expect(rules.enter(ann, { recipient_id: ann })).rejects.toThrow(refusal('validation_failed'));
    await expect(rules.enter(ann, { recipient_id: 'f'.repeat(24) })).rejects.toThrow(refusal('not_found'));
  });

  it('shows a deactivated user as such', async () => {
    const gone = await createUser(false);
    expect(await rules.enter(ann, { recipient_id: gone })).toMatchObject({ peerActive: false });
    expect(await rules.enter(gone, { recipient_id: ann })).toMatchObject({ peerActive: true });
  });

  it('knows of a block, whoever asks; a contact is none', async () => {
    const [ofAnn, ofBob] = [
      { user_id: new ObjectId(ann), contact_id: new ObjectId(bob) },
      { user_id: new ObjectId(bob), contact_id: new ObjectId(ann) },
    ];
    await insert('contacts', { ...ofAnn, status: 'accepted' });
    expect(await rules.isBlocked(ann, bob)).toBe(false);
    await insert('contacts', { ...ofBob, status: 'blocked' });
    expect(await rules.isBlocked(ann, bob)).toBe(true);
    expect(await rules.isBlocked(bob, ann)).toBe(true);
    expect(await rules.enter(ann, { recipient_id: bob })).toMatchObject({ blocked: true });
    expect(await rules.enter(bob, { recipient_id: ann })).toMatchObject({ blocked: true });
  });

  it('lets its two users reach its messages, and nobody else', async () => {
    const message = { sender_id: new ObjectId(ann), recipient_id: new ObjectId(bob), seq: 1 } as MessageDocument;
    for (const user of [ann, bob]) {
      expect(await rules.enterByMessage(user, message)).toMatchObject({ conversation: { id: pairId(ann, bob) } });
    }
    expect(await rules.enterByMessage(await createUser(), message)).toBeUndefined();
  });
});

describe('a group', () => {
  const [admin, member, stranger] = [new ObjectId(), new ObjectId(), new ObjectId()];
  let group: ObjectId;
  const enter = (user: ObjectId) => rules.enter(user.toHexString(), { group_id: group.toHexString() });

  async function createGroup(is_active = true): Promise<void> {
    group = new ObjectId();
    await insert('groups', { _id: group, members: [admin, member], admins: [admin], is_active });
    await insert('memberships', { user_id: admin, conversation_id: group.toHexString(), from_seq: 0 });
  }

  it('is open to its members, and does not exist for others', async () => {
    await createGroup();
    expect(await enter(admin)).toMatchObject({ conversation: { kind: 'group' }, fromSeq: 0, isAdmin: true });
    expect(await enter(member)).toMatchObject({ isAdmin: false });
    await expect(enter(stranger)).rejects.toThrow(refusal('not_found'));
  });

  it('lets members do what its permissions say, and admins everything', async () => {
    await createGroup();
    const everything = {
      send: true,
      add_members: true,
      edit_info: true,
      pin: true,
      mention_everyone: true,
      react: true,
    };
    expect(await enter(member)).toMatchObject({
      permits: { ...everything, add_members: false, edit_info: false, pin: false },
      slowModeS: 0,
    });
    const rights = { permissions: { send: 'admin', pin: 'member' }, slow_mode_s: 10 };
    await client.db().collection('groups').updateOne({ _id: group }, { $set: rights });
    expect(await enter(member)).toMatchObject({
      permits: { ...everything, send: false, add_members: false, edit_info: false },
      slowModeS: 10,
    });
    expect(await enter(admin)).toMatchObject({ permits: everything, slowModeS: 0 });
  });

  it('does not exist when it is inactive', async () => {
    await createGroup(false);
    await expect(enter(admin)).rejects.toThrow(refusal('not_found'));
  });

  it('shows a member what came after joining, and nothing while still joining', async () => {
    await createGroup();
    const message = (seq: number) => ({ group_id: group, seq }) as MessageDocument;
    const user = member.toHexString();
    expect(await rules.enterByMessage(user, message(1_000_000))).toBeUndefined();
    await insert('memberships', { user_id: member, conversation_id: group.toHexString(), from_seq: 7 });
    expect(await enter(member)).toMatchObject({ fromSeq: 7 });
    expect(await rules.enterByMessage(user, message(7))).toBeUndefined();
    expect(await rules.enterByMessage(user, message(8))).toMatchObject({ fromSeq: 7 });
    expect(await rules.enterByMessage(stranger.toHexString(), message(8))).toBeUndefined();
  });
});

it('concurrent entries share one query, and each gets its own answer', async () => {
  const caller = await createUser();
  const peers = await Promise.all([true, false, true].map(createUser));
  const [user_id, active, , blocking] = [caller, ...peers].map((id) => new ObjectId(id));
  await insert('contacts', { user_id: blocking, contact_id: user_id, status: 'blocked' });
  // Found by the same query, and between the two of no pair.
  await insert('contacts', { user_id: blocking, contact_id: active, status: 'blocked' });
  commands.length = 0;
  const entered = await Promise.all(peers.map((recipient_id) => rules.enter(caller, { recipient_id })));
  expect(commands).toEqual(['aggregate']);
  expect(entered.map(({ peerActive, blocked }) => [peerActive, blocked])).toEqual([
    [true, false],
    [false, false],
    [true, true],
  ]);
});
