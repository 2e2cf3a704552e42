/** Finds messages by their ids alone, as they are shown. Concurrent look-ups share their commands. */
import type { Collection, Document, ObjectId } from 'mongodb';
import { batched } from '../lib/group-commit.ts';
import type { Collections } from '../model/collections.ts';
import { type ConversationRef, KINDS, refFromId } from '../model/conversation-ref.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import type { Locators } from './locators.ts';
import { byTime, type ShowMessages, shown, UNSETTLED_FIELDS, type UnsettledMarks } from './shown-messages.ts';

/** Documents in one reply of the store: those of a whole batch. */
const ONE_REPLY = 10_000;

export interface FindMessagesOptions {
  collections: Pick<Collections, 'memberships'>;
  of(kind: ConversationRef['kind']): Collection<MessageDocument>;
  locators: Locators;
  show: ShowMessages;
}

/** One line of the joint query: a message, or marks. */
type Found = { message: MessageDocument } | { marks: UnsettledMarks };

/** @returns a function that finds a message of either kind, with what the marks say of it */
export function createFindMessage({ collections, of, locators, show }: FindMessagesOptions) {
  const { memberships } = collections;

  /** Messages within conversations of one kind, and the marks of these conversations, by one command. */
  async function findWithin(
    kind: ConversationRef['kind'],
    within: string[],
    ids: ObjectId[],
  ): Promise<MessageDocument[]> {
    const unsettled = [
      { $match: { conversation_id: { $in: within }, settling_from: { $exists: true } } },
      { $project: { _id: 0, marks: Object.fromEntries(UNSETTLED_FIELDS.map((field) => [field, `$${field}`])) } },
    ];
    const pipeline: Document[] = [
      { $match: { _id: { $in: ids }, conversation_id: { $in: within } } },
      { $project: { _id: 0, message: '$$ROOT' } },
      { $unionWith: { coll: memberships.collectionName, pipeline: unsettled } },
    ];
    const found = await of(kind)
      .aggregate<Found>(pipeline, { hint: { _id: 1 }, batchSize: ONE_REPLY })
      .toArray();
    const marks = found.flatMap((one) => ('marks' in one ? one.marks : [])).sort(byTime);
    return found.flatMap((one) => {
      if (!('message' in one)) return [];
      const { message } = one;
      return shown(
        message,
        marks.filter(({ conversation_id }) => conversation_id === message.conversation_id),
      );
    });
  }

  /** Messages whose conversation is not known: those with ids from before ids told it. */
  async function findAnywhere(ids: ObjectId[]): Promise<MessageDocument[]> {
    const found = await Promise.all(
      KINDS.map((kind) =>
        of(kind)
          .find({ _id: { $in: ids } })
          .toArray(),
      ),
    );
    const within = new Set(found.flat().map(({ conversation_id }) => conversation_id));
    await Promise.all([...within].map((id) => locators.open(id)));
    return found.flat();
  }

  async function findIn(conversationIds: readonly string[], ids: ObjectId[]): Promise<MessageDocument[]> {
    const found = await Promise.all(
      KINDS.map((kind) => {
        const within = [...new Set(conversationIds)].filter((id) => refFromId(id).kind === kind);
        return within.length > 0 ? findWithin(kind, within, ids) : [];
      }),
    );
    return found.flat();
  }

  return batched('messages by id', async (ids: readonly ObjectId[]): Promise<(MessageDocument | undefined)[]> => {
    const found = new Map<string, MessageDocument>();
    // Many react to the same message at once.
    let missing = [...new Map(ids.map((id) => [id.toHexString(), id])).values()];
    function take(messages: MessageDocument[]): void {
      for (const message of messages) found.set(message._id.toHexString(), message);
      missing = missing.filter((id) => !found.has(id.toHexString()));
    }

    take(await findIn(missing.flatMap(locators.known), missing));
    if (missing.length > 0) take(await findIn((await Promise.all(missing.map(locators.read))).flat(), missing));
    if (missing.length > 0) take(await show(await findAnywhere(missing)));
    return ids.map((id) => found.get(id.toHexString()));
  });
}
