/** The messages of all conversations: pairs' in one collection, groups' in another, behind one interface. */
import type { Collection, ObjectId, UpdateFilter } from 'mongodb';
import type { Collections } from '../model/collections.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { GroupMessageDocument, MessageDocument } from '../model/documents/messages.ts';
import { refusals } from '../model/failures.ts';
import { createFindMessage } from './find-messages.ts';
import { createLocators } from './locators.ts';
import { createInserts, type Stored } from './message-inserts.ts';
import { properSeqOf } from './proper-seq.ts';
import { createShowMessages, type ShowMessages } from './shown-messages.ts';
import { createWithThreads, type WithThreads } from './thread-summaries.ts';

/**
 * How many of its earlier revs a message keeps: the first of each write. The unique index over them keeps a node that
 * knows only what was newest before that write from giving a rev twice. While a message is changed again and again, it
 * keeps more than anybody can add in the time for which a node relies on what it knows (`newest-messages.ts`).
 */
const REMEMBERED_REVS = 50;
const REMEMBERED_BUSY = 1000;
/** A message that was not changed for this long, in milliseconds, is not busy. */
const QUIET_MS = 10_000;

/** One write that changes a message. */
export interface AmendStep {
  /** As it is stored. */
  before: MessageDocument;
  /** As it is to be, with its `rev`. */
  after: MessageDocument;
  /** The lowest `rev` that it takes. */
  firstRev: number;
  update: UpdateFilter<MessageDocument>;
}

/** What slow mode needs to know of a sender's last message. */
export type LastSent = Pick<MessageDocument, 'seq' | 'created_at'>;

/** A message in slow mode. */
export type Follower = Required<Pick<GroupMessageDocument, '_id' | 'sender_id' | 'follows_seq'>>;

export interface MessageStore {
  /** Stores messages of one conversation in their order, up to the first that is refused. */
  insert(conversation: ConversationRef, documents: MessageDocument[]): Promise<Stored>;
  /** The collection for a kind of conversation. */
  of(kind: ConversationRef['kind']): Collection<MessageDocument>;
  /** Messages of any conversations with what the marks say of them, and with their threads. */
  show: ShowMessages;
  /** Messages with their threads. */
  withThreads: WithThreads;
  /** The `seq` of the newest message of the conversation proper, up to a `seq`. */
  properSeq(conversation: ConversationRef, seq: number): Promise<number>;
  /** A message by its id alone, as it is shown. */
  find(messageId: ObjectId): Promise<MessageDocument | undefined>;
  /** A new message's id. */
  newId(conversationId: string): ObjectId;
  /** Stores that a conversation has messages. Called before the first one is stored; idempotent. */
  open(conversationId: string): Promise<void>;
  /** The highest `seq`, or `rev`, stored; 0 where there is none. */
  highest(field: 'seq' | 'rev', conversation: ConversationRef): Promise<number>;
  /** Both of them. */
  newest(conversation: ConversationRef): Promise<{ seq: number; rev: number }>;
  /** The message that a sender stored under a `client_message_id`. */
  sent(conversation: ConversationRef, senderId: ObjectId, clientMessageId: string): Promise<MessageDocument | null>;
  /** The last message that a user has sent to a group. */
  lastSent(conversation: ConversationRef, senderId: ObjectId): Promise<LastSent | undefined>;
  /** Messages of a group that, in slow mode, follow the same messages of their senders as these do. */
  followers(conversation: ConversationRef, like: readonly Follower[]): Promise<(Follower & LastSent)[]>;
  /** Those messages of a conversation that are stored, ascending by `seq`. */
  findAll(conversation: ConversationRef, messageIds: ObjectId[]): Promise<MessageDocument[]>;
  /** How many messages of a conversation are pinned. */
  countPinned(conversation: ConversationRef): Promise<number>;
  /** The messages above a `rev`, ascending by `rev`. */
  changes(conversation: ConversationRef, aboveRev: number, limit: number): Promise<MessageDocument[]>;
  /**
   * Changes messages of one conversation in their order, up to the first that is refused: another has its `rev`, or the
   * message is no longer as it was.
   */
  amend(conversation: ConversationRef, steps: readonly AmendStep[]): Promise<Stored>;
}

/** @param collections the collections of the database */
export function createMessageStore(collections: Collections): MessageStore {
  const { messages, group_messages } = collections;
  const direct = messages as unknown as Collection<MessageDocument>;
  const group = group_messages as unknown as Collection<MessageDocument>;
  const of = (kind: ConversationRef['kind']) => (kind === 'direct' ? direct : group);
  const locators = createLocators(collections);
  const withThreads = createWithThreads(of);
  const showMarks = createShowMessages(collections);
  const show: ShowMessages = async (shown) => withThreads(await showMarks(shown));
  const inserts = { direct: createInserts(direct), group: createInserts(group) };

  async function highest(field: 'seq' | 'rev', { id, kind }: ConversationRef): Promise<number> {
    const [found] = await of(kind)
      .find({ conversation_id: id }, { projection: { _id: 0, [field]: 1 } })
      .sort({ [field]: -1 })
      .limit(1)
      .toArray();
    return found?.[field] ?? 0;
  }

  return {
    of,
    show,
    withThreads,
    async properSeq({ id, kind }, seq) {
      const found = await of(kind).findOne(
        { conversation_id: id, seq },
        { projection: { _id: 0, seq: 1, proper_seq: 1 } },
      );
      return found ? properSeqOf(found) : 0;
    },
    insert: ({ kind }, documents) => inserts[kind](documents),
    find: createFindMessage({ collections, of, locators, show }),
    newId: locators.newId,
    open: locators.open,
    highest,
    async newest(conversation) {
      const [seq, rev] = await Promise.all([highest('seq', conversation), highest('rev', conversation)]);
      return { seq, rev };
    },
    sent: ({ id, kind }, sender_id, client_message_id) =>
      of(kind).findOne({ conversation_id: id, sender_id, client_message_id }),
    async lastSent({ id }, sender_id) {
      const [found] = await group
        .find({ conversation_id: id, sender_id }, { projection: { _id: 0, seq: 1, created_at: 1 } })
        .sort({ seq: -1 })
        .limit(1)
        .toArray();
      return found;
    },
    async followers({ id }, like) {
      const $in = like.map(({ follows_seq }) => follows_seq);
      const found = await group
        .find<Follower & LastSent>(
          {
            conversation_id: id,
            sender_id: { $in: like.map(({ sender_id }) => sender_id) },
            follows_seq: { $in, $exists: true },
          },
          { projection: { sender_id: 1, follows_seq: 1, seq: 1, created_at: 1 } },
        )
        .toArray();
      return found;
    },
    findAll: ({ id, kind }, messageIds) =>
      of(kind)
        .find({ _id: { $in: messageIds }, conversation_id: id }, { sort: { seq: 1 }, hint: { _id: 1 } })
        .toArray(),
    countPinned: ({ id, kind }) =>
      of(kind).countDocuments({ conversation_id: id, 'pinned.rev': { $gt: 0 } }, { hint: 'pinned' }),
    changes: ({ id, kind }, aboveRev, limit) =>
      of(kind)
        .find({ conversation_id: id, rev: { $gt: aboveRev } }, { projection: { terms: 0 } })
        .sort({ rev: 1 })
        .limit(limit)
        .toArray(),
    async amend({ id, kind }, steps) {
      try {
        await of(kind).bulkWrite(
          steps.map((step) => ({ updateOne: statementOf(id, step) })),
          { ordered: true },
        );
        return { count: steps.length };
      } catch (error) {
        const [first] = refusals(error) ?? [];
        if (!first) throw error;
        return { count: first[0], refusal: first[1] };
      }
    },
  };
}

/**
 * Where nothing matches, an ordered command would go on with the next step and leave a gap. As an upsert it is refused
 * instead, by the unique `_id`, and ends there.
 */
function statementOf(conversation_id: string, { before, after, firstRev, update }: AmendStep) {
  const isBusy = after.updated_at.getTime() - before.updated_at.getTime() < QUIET_MS;
  const revs = { $each: [firstRev], $slice: -(isBusy ? REMEMBERED_BUSY : REMEMBERED_REVS) };
  return {
    filter: { _id: before._id, conversation_id, rev: before.rev },
    update: { ...update, $set: { ...update.$set, rev: after.rev }, $push: { ...update.$push, revs } },
    upsert: true,
  };
}
