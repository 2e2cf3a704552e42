/**
 * Ids of messages. They are ObjectIds that tell where the message is: four bytes of time, three of its conversation (the
 * locator), five at random. So a message is found by its id alone without asking every shard of a cluster.
 */
import { createHash, randomFillSync } from 'node:crypto';
import { ObjectId } from 'mongodb';

const LOCATOR_AT = 4;
const LOCATOR_BYTES = 3;
const RANDOM_BYTES = 5;
/** Random bytes are made by the thousand. */
const pool = Buffer.alloc(1000 * RANDOM_BYTES);
let used = pool.length;

/** The locator of a conversation: the beginning of its id's SHA-256. A few conversations may share one. */
export function locatorOf(conversationId: string): number {
  return createHash('sha256').update(conversationId).digest().readUIntBE(0, LOCATOR_BYTES);
}

/** The locator in a message's id. */
export function locatorIn(messageId: ObjectId): number {
  return Buffer.from(messageId.id).readUIntBE(LOCATOR_AT, LOCATOR_BYTES);
}

/**
 * A new id. Within a second and a conversation two are alike with a probability of 1 in 2^40.
 * @param locator that of the message's conversation
 */
export function newMessageId(locator: number): ObjectId {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const id = Buffer.alloc(12);
  id.writeUInt32BE(Math.floor(Date.now() / 1000), 0);
  id.writeUIntBE(locator, LOCATOR_AT, LOCATOR_BYTES);
  pool.copy(id, LOCATOR_AT + LOCATOR_BYTES, used, used + RANDOM_BYTES);
  used += RANDOM_BYTES;
  return new ObjectId(id);
}
