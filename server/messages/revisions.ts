/**
 * What edited messages said before (PROTOCOL section 16, "Earlier texts"). Each text of a message has an id; the message
 * lists those of the texts that it had, so a text that was kept for an edit which was then refused is never shown.
 */
import type { ObjectId } from 'mongodb';
import { upsertEach } from '../model/batches.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { MessageDocument, RevisionDocument } from '../model/documents/messages.ts';
import type { Step } from './amendment.ts';

/** How many earlier texts of a message are kept. */
const KEPT = 50;

export interface Revisions {
  /** Keeps the texts that steps replace. Called before they are stored; repeatable. */
  keep(steps: readonly Step[]): Promise<void>;
  /** The earlier texts of a message, oldest first. */
  of(message: MessageDocument): Promise<RevisionDocument[]>;
  /** Forgets those of a message that was deleted. */
  forget(messageId: string): Promise<void>;
}

/** The ids of a message's texts once it gets another one, oldest first. */
export function textIdsWith({ _id, text_ids = [_id] }: MessageDocument, next: ObjectId): ObjectId[] {
  return [...text_ids, next].slice(-(KEPT + 1));
}

export function createRevisions({ revisions }: Pick<Collections, 'revisions'>): Revisions {
  return {
    async keep(steps) {
      const edits = steps.filter(({ before, after }) => after.text_ids !== undefined && !areSame(before, after));
      if (edits.length === 0) return;
      await upsertEach(
        revisions,
        edits.map(({ before }) => ({
          filter: { _id: textIdOf(before), message_id: before._id },
          update: { $setOnInsert: textOf(before) },
        })),
      );
      // What falls out of the list is removed with the next edit: this one may be refused.
      const full = edits.filter(({ before: { text_ids = [] } }) => text_ids.length > KEPT);
      await Promise.all(
        full.map(({ before: { _id, text_ids } }) =>
          revisions.deleteMany({ message_id: _id, _id: { $nin: text_ids! } }),
        ),
      );
    },
    async of({ _id, is_deleted, text_ids = [] }) {
      const earlier = text_ids.slice(0, -1);
      if (is_deleted || earlier.length === 0) return [];
      const found = await revisions.find({ message_id: _id, _id: { $in: earlier } }).toArray();
      const byId = new Map(found.map((one) => [one._id.toHexString(), one]));
      return earlier.flatMap((id) => byId.get(id.toHexString()) ?? []);
    },
    async forget(messageId) {
      await revisions.deleteMany({ message_id: fromId(messageId) });
    },
  };
}

const areSame = (before: MessageDocument, after: MessageDocument) => before.text_ids === after.text_ids;

/** The first text of a message has the message's own id. */
const textIdOf = ({ _id, text_ids = [_id] }: MessageDocument): ObjectId => text_ids.at(-1)!;

function textOf({
  content,
  metadata,
  edited_at,
  created_at,
}: MessageDocument): Omit<RevisionDocument, '_id' | 'message_id'> {
  return { content, ...(metadata === undefined ? {} : { metadata }), at: edited_at ?? created_at };
}
