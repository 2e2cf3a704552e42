/** Threads: the messages that they hang on, and users' places in them. */

import { KINDS } from '../../model/conversation-ref.ts';
import { batchesOf } from '../batches-of.ts';
import type { Check } from '../check.ts';
import { highestOf, messagesById } from '../look-ups.ts';

export const threads: Check = {
  name: 'threads',
  async *find({ store }) {
    for (const kind of KINDS) {
      const messages = store.of(kind);
      const fields = { conversation_id: 1, thread_id: 1, in_conversation: 1, aside: 1, rev: 1 };
      const replies = messages.find({ thread_id: { $exists: true } }, { projection: fields });
      const told = new Set<string>();
      for await (const batch of batchesOf(replies)) {
        const roots = await messagesById(
          store,
          batch.map(({ thread_id }) => thread_id!),
        );
        for (const { _id, conversation_id, thread_id, in_conversation, aside, rev } of batch) {
          const root = roots.get(thread_id!.toHexString());
          if (root?.conversation_id !== conversation_id) {
            yield { what: `message ${_id}: the message that its thread hangs on does not exist` };
          } else if (!root.has_thread && !told.has(root._id.toHexString())) {
            told.add(root._id.toHexString());
            yield {
              what: `message ${root._id}: it does not say that it has a thread`,
              repair: () => messages.updateOne({ _id: root._id, conversation_id }, { $set: { has_thread: true } }),
            };
          }
          if (Boolean(aside) === Boolean(in_conversation)) {
            const update = in_conversation ? { $unset: { aside: true as const } } : { $set: { aside: true as const } };
            yield {
              what: `message ${_id}: it is counted wrongly as one of the conversation proper, or not`,
              repair: () => messages.updateOne({ _id, conversation_id, rev }, update),
            };
          }
        }
      }
    }
  },
};

export const threadMarks: Check = {
  name: 'marks in threads',
  async *find({ store, collections: { thread_marks } }) {
    for await (const batch of batchesOf(thread_marks.find())) {
      const roots = await messagesById(
        store,
        batch.map(({ root_id }) => root_id),
      );
      const ends = await highestOf(
        store,
        'seq',
        batch.map(({ conversation_id }) => conversation_id),
      );
      for (const { _id, user_id, root_id, conversation_id, root_seq, read_seq } of batch) {
        const what = `${user_id} in the thread of ${root_id}`;
        const own = { _id, user_id, root_id };
        const root = roots.get(root_id.toHexString());
        const end = ends.get(conversation_id) ?? 0;
        if (!root) {
          yield { what: `${what}: there is no such message`, repair: () => thread_marks.deleteOne(own) };
        } else if (root.conversation_id !== conversation_id || root.seq !== root_seq) {
          const truth = { conversation_id: root.conversation_id, root_seq: root.seq };
          yield {
            what: `${what}: it lies elsewhere`,
            repair: () => thread_marks.updateOne({ ...own, conversation_id, root_seq }, { $set: truth }),
          };
        } else if (read_seq > end) {
          yield {
            what: `${what}: read beyond the end`,
            repair: () => thread_marks.updateOne({ ...own, read_seq }, { $set: { read_seq: end } }),
          };
        }
      }
    }
  },
};
