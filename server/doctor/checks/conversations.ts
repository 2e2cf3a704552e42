/** What is derived from the messages of a conversation: its summary, its locator. And that messages are where they belong. */
import { emptyGroupSummary } from '../../conversations/group-summary.ts';
import { fromId } from '../../model/codec.ts';
import { KINDS, refFromId, refOf } from '../../model/conversation-ref.ts';
import type { ConversationDocument } from '../../model/documents/conversations.ts';
import type { MessageDocument } from '../../model/documents/messages.ts';
import { locatorOf } from '../../model/message-id.ts';
import { batchesOf } from '../batches-of.ts';
import type { Check, CheckContext, Finding } from '../check.ts';

interface Newest {
  _id: string;
  seq: number;
  rev: number;
  /** The newest message of the conversation proper. */
  message_seq: number;
  message_id: MessageDocument['_id'];
  created_at: Date;
  /** Where the newest one is a reply beside the conversation: the `seq` of the newest message of the conversation proper. */
  proper_seq: number | null;
}

/** Each conversation with its newest message, in batches. */
async function* newestOf({ store }: CheckContext, kind: 'direct' | 'group'): AsyncGenerator<Newest[]> {
  const newest = store.of(kind).aggregate<Omit<Newest, 'message_seq'>>(
    [
      { $sort: { conversation_id: 1, seq: 1 } },
      {
        $group: {
          _id: '$conversation_id',
          seq: { $last: '$seq' },
          rev: { $max: '$rev' },
          message_id: { $last: '$_id' },
          created_at: { $last: '$created_at' },
          proper_seq: { $last: '$proper_seq' },
        },
      },
    ],
    { allowDiskUse: true },
  );
  for await (const batch of batchesOf(newest)) yield withProper(store, kind, batch);
}

/** With the newest message of the conversation proper in place of a reply beside it: that is what summaries name. */
async function withProper(
  store: CheckContext['store'],
  kind: 'direct' | 'group',
  batch: Omit<Newest, 'message_seq'>[],
): Promise<Newest[]> {
  const aside = batch.filter(({ proper_seq }) => proper_seq !== null);
  const $or = aside.map(({ _id, proper_seq }) => ({ conversation_id: _id, seq: proper_seq! }));
  const fields = { conversation_id: 1, seq: 1, created_at: 1 };
  const found = aside.length === 0 ? [] : await store.of(kind).find({ $or }, { projection: fields }).toArray();
  const properOf = new Map(found.map((message) => [message.conversation_id, message]));
  return batch.map((newest) => {
    const proper = properOf.get(newest._id);
    return proper
      ? { ...newest, message_id: proper._id, message_seq: proper.seq, created_at: proper.created_at }
      : { ...newest, message_seq: newest.seq };
  });
}

export const summaries: Check = {
  name: 'summaries',
  async *find(context) {
    for (const kind of KINDS) {
      for await (const batch of newestOf(context, kind)) yield* wrongSummaries(context, batch);
    }
    const { conversations } = context.collections;
    // Summaries of conversations without any message: the loop above does not meet them.
    for await (const { _id, last_message_id } of conversations.find({ last_message_id: { $exists: true } })) {
      const ref = refFromId(_id);
      if ((await context.store.highest('seq', ref)) > 0) continue;
      yield {
        what: `${_id}: the summary names a message, and none is stored`,
        repair: () =>
          conversations.updateOne(
            { _id, last_message_id: last_message_id! },
            { $set: { last_seq: 0, rev: 0 }, $unset: { last_message_id: true, last_message_seq: true } },
          ),
      };
    }
  },
};

async function* wrongSummaries({ collections, clock }: CheckContext, batch: Newest[]): AsyncGenerator<Finding> {
  const { conversations } = collections;
  const found = await conversations.find({ _id: { $in: batch.map(({ _id }) => _id) } }).toArray();
  const byId = new Map(found.map((summary) => [summary._id, summary]));
  for (const { _id, seq, rev, message_id, message_seq, created_at } of batch) {
    const stored = byId.get(_id);
    const isNamed =
      stored?.last_message_id?.equals(message_id) && (stored.last_message_seq ?? stored.last_seq) === message_seq;
    if (stored && isNamed && stored.last_seq === seq && stored.rev === rev) continue;
    const truth = {
      last_seq: seq,
      rev,
      last_message_id: message_id,
      last_message_seq: message_seq,
      activity_at: created_at,
    };
    yield {
      what: `${_id}: ${stored ? 'the summary is not what the messages say' : 'no summary'}`,
      repair: () =>
        stored
          ? conversations.updateOne(
              { _id, last_seq: stored.last_seq, rev: stored.rev },
              { $set: truth, $max: { changed_at: clock() } },
            )
          : conversations.insertOne({ ...identityOf(_id), ...truth, changed_at: clock(), created_at }),
    };
  }
}

function identityOf(id: string): Pick<ConversationDocument, '_id' | 'kind' | 'user_ids' | 'group_id'> {
  const ref = refFromId(id);
  return ref.kind === 'direct'
    ? { _id: id, kind: ref.kind, user_ids: ref.user_ids.map(fromId) }
    : { _id: id, kind: ref.kind, group_id: fromId(ref.group_id) };
}

export const groupSummaries: Check = {
  name: 'summaries of groups',
  async *find({ collections: { groups, conversations } }) {
    for await (const batch of batchesOf(groups.find({ is_active: true }, { projection: { created_at: 1 } }))) {
      const found = await conversations.distinct('_id', { _id: { $in: batch.map(({ _id }) => _id.toHexString()) } });
      const known = new Set(found);
      for (const group of batch.filter(({ _id }) => !known.has(_id.toHexString()))) {
        const { _id, ...summary } = emptyGroupSummary(group);
        yield {
          what: `group ${_id}: no summary`,
          repair: () => conversations.updateOne({ _id }, { $setOnInsert: summary }, { upsert: true }),
        };
      }
    }
  },
};

export const locators: Check = {
  name: 'locators',
  async *find(context) {
    const { locators } = context.collections;
    for await (const batch of batchesOf(context.collections.conversations.find({ last_seq: { $gt: 0 } }))) {
      const ids = batch.map(({ _id }) => _id);
      const found = await locators.find({ _id: { $in: ids.map(locatorOf) } }).toArray();
      const known = new Set(found.flatMap(({ conversation_ids }) => conversation_ids));
      for (const id of ids.filter((one) => !known.has(one))) {
        yield {
          what: `${id}: its messages are not found by their ids`,
          repair: () =>
            locators.updateOne({ _id: locatorOf(id) }, { $addToSet: { conversation_ids: id } }, { upsert: true }),
        };
      }
    }
  },
};

export const placement: Check = {
  name: 'placement',
  async *find({ store }) {
    for (const kind of KINDS) {
      const fields = { conversation_id: 1, sender_id: 1, recipient_id: 1, group_id: 1 };
      for await (const message of store.of(kind).find({}, { projection: fields })) {
        const belongs = refOf(message as MessageDocument).id;
        if (message.conversation_id === belongs) continue;
        yield { what: `message ${message._id} lies in ${message.conversation_id} and belongs to ${belongs}` };
      }
    }
  },
};
