/** What messages said before, whom they mention, and what deleted ones must no longer hold. */
import type { ObjectId } from 'mongodb';
import { EVERYONE } from '../../conversations/mentioned.ts';
import { KINDS } from '../../model/conversation-ref.ts';
import type { MessageDocument } from '../../model/documents/messages.ts';
import { batchesOf } from '../batches-of.ts';
import type { Check } from '../check.ts';
import { messagesById } from '../look-ups.ts';

export const mentions: Check = {
  name: 'mentions',
  async *find({ store }) {
    for (const kind of KINDS) {
      const messages = store.of(kind);
      const some = { $or: [{ mentions: { $exists: true } }, { mentioned: { $exists: true } }] };
      const fields = { conversation_id: 1, mentions: 1, mentioned: 1, rev: 1 };
      for await (const message of messages.find(some, { projection: fields })) {
        const { _id, conversation_id, rev, mentioned = [] } = message;
        const truth = mentionedBy(message);
        if (mentioned.length === truth.length && truth.every((id, i) => id.equals(mentioned[i]!))) continue;
        const update = truth.length > 0 ? { $set: { mentioned: truth } } : { $unset: { mentioned: true as const } };
        yield {
          what: `message ${_id}: mentions are counted for others than it names`,
          repair: () => messages.updateOne({ _id, conversation_id, rev }, update),
        };
      }
    }
  },
};

function mentionedBy({ mentions = {} }: Pick<MessageDocument, 'mentions'>): ObjectId[] {
  return [...(mentions.user_ids ?? []), ...(mentions.everyone ? [EVERYONE] : [])];
}

/** What a deletion takes from a message in one write. */
export const tombstones: Check = {
  name: 'deleted messages',
  async *find({ store }) {
    for (const kind of KINDS) {
      const messages = store.of(kind);
      const left = {
        is_deleted: true,
        $or: [{ content: { $ne: '' } }, { pinned: { $exists: true } }, { text_ids: { $exists: true } }],
      };
      for await (const { _id, conversation_id, rev } of messages.find(left, {
        projection: { conversation_id: 1, rev: 1 },
      })) {
        yield {
          what: `message ${_id}: deleted, but not all that it was is gone`,
          repair: () =>
            messages.updateOne(
              { _id, conversation_id, rev, is_deleted: true },
              { $set: { content: '' }, $unset: { pinned: true, text_ids: true } },
            ),
        };
      }
    }
  },
};

export const revisions: Check = {
  name: 'earlier texts',
  async *find({ store, collections }) {
    for await (const batch of batchesOf(collections.revisions.find({}, { projection: { message_id: 1 } }))) {
      const messages = await messagesById(
        store,
        batch.map(({ message_id }) => message_id),
      );
      for (const { _id, message_id } of batch) {
        const message = messages.get(message_id.toHexString());
        if (message && !message.is_deleted) continue;
        yield {
          what: `text ${_id}: its message ${message_id} ${message ? 'was deleted' : 'does not exist'}`,
          repair: () => collections.revisions.deleteOne({ _id, message_id }),
        };
      }
    }
    for (const kind of KINDS) {
      const edited = store.of(kind).find({ text_ids: { $exists: true } }, { projection: { text_ids: 1 } });
      for await (const batch of batchesOf(edited)) {
        // The last one is in the message itself.
        const earlier = batch.flatMap(({ text_ids = [] }) => text_ids.slice(0, -1));
        const found = await collections.revisions.distinct('_id', { _id: { $in: earlier } });
        const known = new Set(found.map((id) => id.toHexString()));
        for (const { _id, text_ids = [] } of batch) {
          if (text_ids.slice(0, -1).every((id) => known.has(id.toHexString()))) continue;
          yield { what: `message ${_id}: a text that it had before is gone` };
        }
      }
    }
  },
};
