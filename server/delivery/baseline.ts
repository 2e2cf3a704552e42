/**
 * From where on a node delivers a conversation of which it has delivered nothing yet, although others may have written
 * to it. The node's connections have by `sync` what was stored before they came; they must be told in order what was
 * stored since, even where nobody told this node.
 *
 * Where somebody writes at about the time when a connection comes, what is stored is noted before the connection is told
 * that it is ready: that is exact. Elsewhere times decide. They are those of the nodes that wrote, taken a little before
 * a change was stored, so they get a margin: telling twice is harmless, a gap is not.
 */
import { type Change, lastSeqBefore } from '../bus/operations.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { createLru } from '../lib/lru.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';

/** A change was stored at most this long after the time that it carries, in milliseconds. */
const MARGIN_MS = 2000;
/** What was written this lately is noted, and a note holds for connections that came this close to it. Milliseconds. */
const RECENT_MS = 10_000;
/** How many changes are looked through. */
const LIMIT = 500;
/** How many notes are kept. */
const REMEMBERED = 100_000;

export interface BaselineQuery {
  /** Since when the node has connections there, in milliseconds. */
  since: number;
  /** The change that came first, if one did. */
  first: Change | undefined;
}

export interface Baseline {
  /** Delivery begins above this `rev`. */
  rev: number;
  /** Messages above this `seq` are new to the connections. */
  lastSeq: number;
}

export interface Baselines {
  /** Finds a baseline: by one read of one index entry where nothing happened since the connections came. */
  find(conversation: ConversationRef, query: BaselineQuery): Promise<Baseline>;
  /**
   * For a user about to be connected: notes what is stored in those of their conversations in which somebody writes.
   * @param isCovered whether somebody of a conversation is connected here already: then what is known stays
   */
  note(userId: string, groupIds: string[], isCovered: (conversation: ConversationRef) => boolean): Promise<void>;
}

export interface BaselinesOptions {
  collections: Pick<Collections, 'conversations'>;
  store: MessageStore;
  refFromId(conversationId: string): ConversationRef;
  clock(): Date;
}

export function createBaselines({ collections, store, refFromId, clock }: BaselinesOptions): Baselines {
  const { conversations } = collections;
  const notes = createLru<Baseline & { at: number }>('baselines', REMEMBERED);

  async function recentlyWritten(userId: string, groupIds: string[]): Promise<ConversationRef[]> {
    const recently = { $gt: new Date(clock().getTime() - RECENT_MS - MARGIN_MS) };
    const projection = { _id: 1 };
    const [pairs, groups] = await Promise.all([
      conversations.find({ user_ids: fromId(userId), activity_at: recently }, { projection }).toArray(),
      groupIds.length === 0
        ? []
        : conversations.find({ _id: { $in: groupIds }, changed_at: recently }, { projection }).toArray(),
    ]);
    return [...pairs, ...groups].map(({ _id }) => refFromId(_id));
  }

  return {
    async find(conversation, query) {
      const note = notes.get(conversation.id);
      const holds = note && Math.abs(query.since - note.at) < RECENT_MS;
      return holds ? { rev: note.rev, lastSeq: note.lastSeq } : findByTime(store, conversation, query);
    },
    async note(userId, groupIds, isCovered) {
      const found = await recentlyWritten(userId, groupIds);
      await Promise.all(
        found.map(async (conversation) => {
          if (isCovered(conversation)) return;
          const at = clock().getTime();
          const { rev, seq } = await store.newest(conversation);
          notes.set(conversation.id, { rev, lastSeq: seq, at });
        }),
      );
    },
  };
}

/** Begins above the last change from before the connections came, as far as times tell. */
async function findByTime(
  store: MessageStore,
  conversation: ConversationRef,
  { since, first }: BaselineQuery,
): Promise<Baseline> {
  const messages = store.of(conversation.kind);
  const below = first ? { $lt: first.rev } : {};
  const from = new Date(since - MARGIN_MS);
  const [old] = await messages
    .find(
      { conversation_id: conversation.id, rev: { $gt: 0, ...below }, updated_at: { $lt: from } },
      { projection: { _id: 0, rev: 1 } },
    )
    .sort({ rev: -1 })
    .limit(1)
    .toArray();
  const rev = old?.rev ?? 0;
  const recent =
    first && rev === first.rev - 1
      ? []
      : await messages
          .find(
            { conversation_id: conversation.id, rev: { $gt: rev, ...below }, created_at: { $gte: from } },
            { projection: { _id: 0, seq: 1 } },
          )
          .sort({ rev: 1 })
          .limit(LIMIT)
          .toArray();
  const bounds = recent.map((message) => message.seq - 1);
  if (first) bounds.push(lastSeqBefore(first));
  return { rev, lastSeq: bounds.length > 0 ? Math.min(...bounds) : await store.highest('seq', conversation) };
}
