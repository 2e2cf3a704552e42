/** What messages hold that is derived from something else. */
import { isDeepStrictEqual } from 'node:util';
import { termsOf } from '../../messages/terms.ts';
import { KINDS } from '../../model/conversation-ref.ts';
import { batchesOf } from '../batches-of.ts';
import type { Check } from '../check.ts';

export const terms: Check = {
  name: 'search terms',
  async *find({ store }) {
    for (const kind of KINDS) {
      const messages = store.of(kind);
      const fields = { conversation_id: 1, content: 1, terms: 1, is_deleted: 1, rev: 1 };
      for await (const { _id, conversation_id, content, terms: stored = [], is_deleted, rev } of messages.find(
        {},
        { projection: fields },
      )) {
        const wanted = is_deleted ? [] : termsOf(content);
        if (isDeepStrictEqual(new Set(stored), new Set(wanted))) continue;
        yield {
          what: `message ${_id}: search does not find what it says`,
          repair: () => messages.updateOne({ _id, conversation_id, rev }, { $set: { terms: wanted } }),
        };
      }
    }
  },
};

export const reactions: Check = {
  name: 'counted reactions',
  async *find({ store, collections }) {
    for (const kind of KINDS) {
      const messages = store.of(kind);
      const counted = messages.find({ 'reactions.count': { $exists: true } });
      for await (const { _id, conversation_id, rev, reactions: all = [] } of counted) {
        for (const { emoji, user_ids, count } of all.filter((reaction) => reaction.count !== undefined)) {
          const others = await collections.counted_reactions.countDocuments({ message_id: _id, emoji });
          const truth = user_ids.length + others;
          if (count === truth) continue;
          yield {
            what: `message ${_id}: ${count} reactions with one emoji, and ${truth} are stored`,
            repair: () =>
              messages.updateOne(
                { _id, conversation_id, rev, reactions: { $elemMatch: { emoji, count } } },
                { $set: { 'reactions.$.count': truth } },
              ),
          };
        }
      }
    }
  },
};

export const attachments: Check = {
  name: 'attachments',
  async *find({ store, collections: { media, files } }) {
    for (const kind of KINDS) {
      const withOne = store
        .of(kind)
        .find({ 'attachment.media_id': { $exists: true } }, { projection: { attachment: 1, message_type: 1 } });
      for await (const batch of batchesOf(withOne)) {
        const ids = batch.map(({ attachment }) => attachment!.media_id);
        const found = await Promise.all([media, files].map((one) => one.distinct('_id', { _id: { $in: ids } })));
        const known = new Set(found.flat().map((id) => id.toHexString()));
        for (const { _id, attachment } of batch) {
          const id = attachment!.media_id.toHexString();
          if (!known.has(id)) yield { what: `message ${_id}: its attachment ${id} does not exist` };
        }
      }
    }
  },
};
