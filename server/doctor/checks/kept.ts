/** What users keep for themselves: saved messages and drafts. */
import { batchesOf } from '../batches-of.ts';
import type { Check } from '../check.ts';
import { messagesById } from '../look-ups.ts';

export const saved: Check = {
  name: 'saved messages',
  async *find({ store, collections }) {
    for await (const batch of batchesOf(collections.saved.find())) {
      const messages = await messagesById(
        store,
        batch.map(({ message_id }) => message_id),
      );
      for (const { _id, user_id, message_id, conversation_id } of batch) {
        const message = messages.get(message_id.toHexString());
        if (message?.conversation_id === conversation_id) continue;
        const own = { _id, user_id, message_id };
        yield {
          what: `message ${message_id} saved by ${user_id}: ${message ? 'it lies elsewhere' : 'it does not exist'}`,
          repair: () =>
            message
              ? collections.saved.updateOne(own, { $set: { conversation_id: message.conversation_id } })
              : collections.saved.deleteOne(own),
        };
      }
    }
  },
};

/** A draft's length is noted in the membership; it limits how much an answer holds. */
export const drafts: Check = {
  name: 'drafts',
  async *find({ collections: { drafts: stored, memberships } }) {
    for await (const batch of batchesOf(stored.find())) {
      const of = await memberships
        .find({ $or: batch.map(({ user_id, conversation_id }) => ({ user_id, conversation_id })) })
        .toArray();
      const byUser = new Map(of.map((one) => [`${one.user_id} ${one.conversation_id}`, one]));
      for (const { _id, user_id, conversation_id, content, updated_at } of batch) {
        const membership = byUser.get(`${user_id} ${conversation_id}`);
        const what = `draft of ${user_id} in ${conversation_id}`;
        if (!membership) {
          const own = { _id, user_id, conversation_id, updated_at };
          yield { what: `${what}: the user has no part in it`, repair: () => stored.deleteOne(own) };
          continue;
        }
        const { draft_bytes } = membership;
        const bytes = Buffer.byteLength(JSON.stringify(content));
        if (draft_bytes === bytes) continue;
        yield {
          what: `${what}: its length is noted wrongly`,
          repair: () =>
            memberships.updateOne(
              {
                _id: membership._id,
                conversation_id,
                user_id,
                draft_bytes: draft_bytes ?? { $exists: false },
              },
              { $set: { draft_bytes: bytes } },
            ),
        };
      }
    }
  },
};
