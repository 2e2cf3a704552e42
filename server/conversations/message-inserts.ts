/** Inserts messages: those of one conversation in their order, those of several conversations by one command. */
import type { Collection } from 'mongodb';
import { batched } from '../lib/group-commit.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { type Refusal, refusals } from '../model/failures.ts';

/** Messages in one command, where they belong to several conversations. */
const MAX_COMMAND = 64;

/** What became of messages that were to be stored in their order. */
export interface Stored {
  /** How many of them were stored, from the first on. */
  count: number;
  /** Why the next one was refused; undefined where all were stored. */
  refusal?: Refusal | undefined;
}

/** Stores messages of one conversation in their order, up to the first that is refused. */
export type InsertMessages = (documents: MessageDocument[]) => Promise<Stored>;

/**
 * @param collection the one for this kind of conversation
 * @returns an insert that shares its command with concurrent ones of other conversations
 */
export function createInserts(collection: Collection<MessageDocument>): InsertMessages {
  return batched(
    collection.collectionName,
    (batches: readonly MessageDocument[][]) => insertTogether(collection, batches),
    { atOnce: 2, most: MAX_COMMAND, weigh: (batch) => batch.length },
  );
}

async function insertTogether(
  collection: Collection<MessageDocument>,
  batches: readonly MessageDocument[][],
): Promise<Stored[]> {
  const documents = batches.flat();
  // Within a conversation, a later message must not be stored without the earlier one; among conversations it may.
  const ordered = documents.length > batches.length;
  const refused = await insertMany(collection, documents, ordered);
  const [stop] = ordered ? refused.keys() : [];
  let next = 0;
  return Promise.all(
    batches.map((batch) => {
      const start = next;
      next += batch.length;
      // An ordered command ends at the first refusal: what lies behind it has not been tried.
      if (stop !== undefined && start > stop) return insertAlone(collection, batch);
      const at = batch.findIndex((_, i) => refused.has(start + i));
      return at < 0 ? { count: batch.length } : { count: at, refusal: refused.get(start + at) };
    }),
  );
}

async function insertAlone(collection: Collection<MessageDocument>, documents: MessageDocument[]): Promise<Stored> {
  const [first] = await insertMany(collection, documents, true);
  return first ? { count: first[0], refusal: first[1] } : { count: documents.length };
}

/** @returns the refusals by their index; throws where the command failed as a whole */
async function insertMany(
  collection: Collection<MessageDocument>,
  documents: MessageDocument[],
  ordered: boolean,
): Promise<Map<number, Refusal>> {
  try {
    await collection.insertMany(documents, { ordered });
    return new Map();
  } catch (error) {
    const refused = refusals(error);
    if (!refused) throw error;
    return refused;
  }
}
