/** Users' places in threads: whether they follow, and how far they have read (docs/data.md, "Threads"). */
import { ObjectId } from 'mongodb';
import { type Upsert, upsert, upsertAll } from '../../model/batches.ts';
import type { Collections } from '../../model/collections.ts';
import type { MessageDocument, ThreadMarkDocument } from '../../model/documents/messages.ts';

/** The message that a thread hangs on. */
export type Root = Pick<MessageDocument, '_id' | 'conversation_id' | 'seq' | 'sender_id'>;

/** Somebody who may begin to follow. */
export interface Candidate {
  user_id: ObjectId;
  /** Whether this overrides an earlier decision of the user: by replying, or by being named. */
  isOwn: boolean;
}

export interface ThreadMarks {
  find(user_id: ObjectId, root_id: ObjectId): Promise<ThreadMarkDocument | null>;
  /** All threads that a user follows. */
  followed(user_id: ObjectId): Promise<ThreadMarkDocument[]>;
  /**
   * Lets users follow, as of a `rev` of the conversation. Those who have decided after that are left alone. Repeatable.
   * @returns those who did not follow before
   */
  begin(root: Root, candidates: readonly Candidate[], rev: number): Promise<ObjectId[]>;
  /** Sets whether a user follows, by the user's own decision as of a `rev`. */
  decide(root: Root, user_id: ObjectId, following: boolean, rev: number): Promise<void>;
  /** Raises the mark up to which a user has read. */
  read(root: Root, user_id: ObjectId, upTo: number): Promise<void>;
  /** Erases those of a user. Repeatable. */
  erase(user_id: ObjectId): Promise<void>;
}

export function createThreadMarks({ thread_marks }: Pick<Collections, 'thread_marks'>): ThreadMarks {
  const newMark = ({ conversation_id, seq }: Root) => ({ _id: new ObjectId(), conversation_id, root_seq: seq });

  function beginning(root: Root, { user_id, isOwn }: Candidate, rev: number): Upsert<ThreadMarkDocument> {
    return {
      filter: {
        user_id,
        root_id: root._id,
        ...(isOwn ? { decided_rev: { $not: { $gte: rev } } } : { following: { $exists: false } }),
      },
      update: {
        $set: { following: true, decided_rev: rev },
        $setOnInsert: { ...newMark(root), read_seq: 0 },
      },
    };
  }

  return {
    find: (user_id, root_id) => thread_marks.findOne({ user_id, root_id }),
    followed: (user_id) => thread_marks.find({ user_id, following: true }).toArray(),
    async begin(root, candidates, rev) {
      const known = await thread_marks
        .find({ user_id: { $in: candidates.map(({ user_id }) => user_id) }, root_id: root._id })
        .toArray();
      const begin = candidates.filter(({ user_id, isOwn }) => {
        const mark = known.find((one) => one.user_id.equals(user_id));
        if (!isOwn) return mark?.following === undefined;
        return !mark?.following && (mark?.decided_rev ?? -1) < rev;
      });
      if (begin.length === 0) return [];
      const outcomes = await upsertAll(
        thread_marks,
        begin.map((candidate) => beginning(root, candidate, rev)),
      );
      for (const outcome of outcomes) if (outcome instanceof Error) throw outcome;
      return begin.filter((_, i) => outcomes[i] === true).map(({ user_id }) => user_id);
    },
    async decide(root, user_id, following, rev) {
      await upsert(thread_marks, {
        filter: { user_id, root_id: root._id },
        update: {
          $set: { following },
          $max: { decided_rev: rev },
          $setOnInsert: { ...newMark(root), read_seq: 0 },
        },
      });
    },
    async read(root, user_id, upTo) {
      await upsert(thread_marks, {
        filter: { user_id, root_id: root._id },
        update: { $max: { read_seq: upTo }, $setOnInsert: newMark(root) },
      });
    },
    async erase(user_id) {
      await thread_marks.deleteMany({ user_id });
    },
  };
}
