/** Reads and writes marks, those of many users by one command. */
import type { AnyBulkWriteOperation, Filter, ObjectId } from 'mongodb';
import { groupBy } from '../../lib/group-by.ts';
import { createLru } from '../../lib/lru.ts';
import type { Collections } from '../../model/collections.ts';
import type { MembershipDocument } from '../../model/documents/conversations.ts';
import { isSeenByOthers, type MarkState, settled } from './mark-state.ts';

/** How many marks are remembered. */
const REMEMBERED = 50_000;
/** Marks in one reply of the store: those of a whole batch. */
const ONE_REPLY = 1000;

/** Whose marks, in which conversation. */
export interface MarkKey {
  conversationId: string;
  userId: ObjectId;
}

export interface MarkWrite {
  key: MarkKey;
  before: MarkState;
  after: MarkState;
}

export interface MarkStore {
  /** The marks as this node knows them: they may have grown since. */
  remembered(key: MarkKey): MarkState | undefined;
  /** The marks as they are stored at this moment. */
  read(key: MarkKey): Promise<MarkState | undefined>;
  /** The marks of each, from memory or else from the store; undefined where there are none. */
  find(keys: readonly MarkKey[]): Promise<(MarkState | undefined)[]>;
  /**
   * Writes marks that grew, each if it is still as it was before.
   * @returns for each what is stored now: what was written, or what had come as far without it; undefined where marks
   *   changed in the meantime and have not come as far
   */
  write(writes: readonly MarkWrite[], at: Date): Promise<(MarkState | undefined)[]>;
  /** Notes that the stored messages say what marks said. */
  settle(key: MarkKey, done: MarkState): void;
}

export function createMarkStore({ memberships }: Pick<Collections, 'memberships'>): MarkStore {
  const states = createLru<MarkState>('marks', REMEMBERED);

  async function read(keys: readonly MarkKey[]): Promise<void> {
    if (keys.length === 0) return;
    const found = memberships.find<MarkState & Pick<MembershipDocument, 'user_id' | 'conversation_id'>>(anyOf(keys), {
      projection: {
        _id: 0,
        user_id: 1,
        conversation_id: 1,
        delivered_seq: 1,
        read_seq: 1,
        shown_read_seq: 1,
        shown_reads: 1,
        settling_from: 1,
      },
      batchSize: ONE_REPLY,
    });
    for await (const { user_id, conversation_id, ...state } of found) {
      states.set(keyOf({ conversationId: conversation_id, userId: user_id }), state);
    }
  }

  /** The outcome of writes, not all of which found what they rest on. */
  async function compare(writes: readonly MarkWrite[]): Promise<(MarkState | undefined)[]> {
    for (const { key } of writes) states.delete(keyOf(key));
    await read(writes.map(({ key }) => key));
    return writes.map(({ key, after }) => {
      const now = states.get(keyOf(key));
      return now && now.delivered_seq >= after.delivered_seq && now.read_seq >= after.read_seq ? now : undefined;
    });
  }

  return {
    remembered: (key) => states.get(keyOf(key)),
    async read(key) {
      await read([key]);
      return states.get(keyOf(key));
    },
    async find(keys) {
      const known = keys.map((key) => states.get(keyOf(key)));
      await read(keys.filter((_, i) => !known[i]));
      return keys.map((key, i) => known[i] ?? states.get(keyOf(key)));
    },
    async write(writes, at) {
      const { matchedCount } = await memberships.bulkWrite(
        writes.map((write) => statementOf(write, at)),
        { ordered: false },
      );
      if (matchedCount < writes.length) return compare(writes);
      for (const { key, after } of writes) states.set(keyOf(key), after);
      return writes.map(({ after }) => after);
    },
    settle(key, done) {
      const known = states.get(keyOf(key));
      if (known) states.set(keyOf(key), settled(known, done));
    },
  };
}

function keyOf({ conversationId, userId }: MarkKey): string {
  return `${conversationId} ${userId.toHexString()}`;
}

/** Those of one conversation together, so that a group's are one range. */
function anyOf(keys: readonly MarkKey[]): Filter<MembershipDocument> {
  return {
    $or: [...groupBy(keys, ({ conversationId }) => conversationId)].map(([conversation_id, ofUsers]) => ({
      user_id: { $in: ofUsers.map(({ userId }) => userId) },
      conversation_id,
    })),
  };
}

/** A reading that nobody else may know of must not show in their `sync` either. */
function statementOf({ key, before, after }: MarkWrite, at: Date): AnyBulkWriteOperation<MembershipDocument> {
  const { delivered_seq, read_seq, shown_read_seq, settling_from = { $exists: false } } = before;
  const marks = { delivered_seq, read_seq, shown_read_seq, settling_from };
  return {
    updateOne: {
      filter: { user_id: key.userId, conversation_id: key.conversationId, ...marks },
      update: {
        $set: { ...after, changed_at: at, ...(isSeenByOthers(before, after) ? { marks_at: at } : {}) },
        $inc: { version: 1 },
      },
    },
  };
}
