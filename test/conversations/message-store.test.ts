import { MongoClient, ObjectId } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMessageStore, type MessageStore } from '../../server/conversations/message-store.ts';
import { collections } from '../../server/model/collections.ts';
import { pairRef } from '../../server/model/conversation-ref.ts';
import type { MessageDocument } from '../../server/model/documents/messages.ts';
import { install } from '../../server/model/install.ts';
import { startDatabase } from '../support/database.ts';

let store: MessageStore;
let inserts = 0;
let stop: () => Promise<void>;

beforeAll(async () => {
  const database = await startDatabase();
  const client = await new MongoClient(database.url, { monitorCommands: true }).connect();
  const db = client.db();
  await install(db, pino({ level: 'silent' }));
  client.on('commandStarted', ({ commandName }) => {
    if (commandName === 'insert') inserts++;
  });
  store = createMessageStore(collections(db));
  stop = async () => {
    await db.dropDatabase();
    await client.close();
    await database.stop();
  };
});

afterAll(() => stop?.());

function conversation() {
  const [sender, recipient] = [new ObjectId(), new ObjectId()];
  const ref = pairRef(sender.toHexString(), recipient.toHexString());
  const message = (seq: number): MessageDocument => {
    const at = new Date();
    return {
      _id: new ObjectId(),
      conversation_id: ref.id,
      seq,
      rev: seq,
      revs: [seq],
      sender_id: sender,
      recipient_id: recipient,
      content: `${seq}`,
      message_type: 'text',
      attachment: null,
      created_at: at,
      updated_at: at,
      status: 'sent',
      is_deleted: false,
      terms: [],
    };
  };
  const stored = async () => (await store.changes(ref, 0, 100)).map(({ seq }) => seq);
  return { ref, message, stored };
}

describe('concurrent inserts in several conversations', () => {
  it('share one command', async () => {
    const [one, other] = [conversation(), conversation()];
    const before = inserts;
    const results = await Promise.all([
      store.insert(one.ref, [one.message(1), one.message(2)]),
      store.insert(other.ref, [other.message(1)]),
    ]);
    expect(results).toEqual([{ count: 2 }, { count: 1 }]);
    expect(inserts - before).toBe(1);
  });

  it('stop in the conversation where a message is refused, and complete in the others', async () => {
    const [before, refused, behind] = [conversation(), conversation(), conversation()];
    await store.insert(refused.ref, [refused.message(1), refused.message(2)]);
    const results = await Promise.all([
      store.insert(before.ref, [before.message(1), before.message(2)]),
      store.insert(refused.ref, [refused.message(3), refused.message(2), refused.message(4)]),
      store.insert(behind.ref, [behind.message(1), behind.message(2)]),
    ]);
    expect(results.map(({ count }) => count)).toEqual([2, 1, 2]);
    expect(results[1]!.refusal?.code).toBe(11000);
    expect(await before.stored()).toEqual([1, 2]);
    expect(await refused.stored()).toEqual([1, 2, 3]);
    expect(await behind.stored()).toEqual([1, 2]);
  });

  it('complete beside a single message that is refused', async () => {
    const [one, other] = [conversation(), conversation()];
    await store.insert(one.ref, [one.message(1)]);
    const results = await Promise.all([
      store.insert(one.ref, [one.message(1)]),
      store.insert(other.ref, [other.message(1)]),
    ]);
    expect(results.map(({ count }) => count)).toEqual([0, 1]);
    expect(await other.stored()).toEqual([1]);
  });
});
