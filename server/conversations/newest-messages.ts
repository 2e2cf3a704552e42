/**
 * Remembers the newest messages of conversations: up to which `seq` they reach, and who sent the last ones. A mark is
 * raised by that alone; the store is asked only about what lies further back, or beyond.
 */
import type { Change } from '../bus/operations.ts';
import { createLru } from '../lib/lru.ts';
import { fromId } from '../model/codec.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { MessageStore } from './message-store.ts';

/** Of how many conversations. */
const REMEMBERED = 20_000;
/** How many senders are read at once … */
const READ_SENDERS = 64;
/** … and kept at most, of one conversation. */
const MOST_SENDERS = 256;

export interface NewestMessages {
  /** Takes note of changes that are stored. */
  note(conversation: ConversationRef, changes: readonly Change[]): void;
  /** Forgets a conversation: what is stored of it may never have been told. */
  forget(conversation: ConversationRef): void;
  /** @returns the highest `seq` as far as it is known; what the store says if that is below `atLeast` */
  highestSeq(conversation: ConversationRef, atLeast: number): Promise<number>;
  /** Whether a `seq` is the highest for certain. */
  isHighest(conversation: ConversationRef, seq: number): boolean;
  /** The ids of those who sent the messages above a `seq` and up to another. */
  sendersWithin(conversation: ConversationRef, above: number, upTo: number): Promise<string[]>;
}

interface Newest {
  /** The highest `seq` that is known. */
  seq: number;
  /** Who sent the last messages, up to `seq`. */
  senders: string[];
  /** When this was so, by `performance.now()`. */
  at: number;
}

/**
 * @param holdsMs for how long nobody can have sent anything without telling this node, in milliseconds
 */
export function createNewestMessages(store: Pick<MessageStore, 'of'>, holdsMs: () => number): NewestMessages {
  const conversations = createLru<Newest>(REMEMBERED);

  function append(newest: Newest, seq: number, senderId: string): void {
    if (seq <= newest.seq) return;
    if (seq > newest.seq + 1) newest.senders = [];
    // One string for a sender, however many messages.
    newest.senders.push(newest.senders.find((known) => known === senderId) ?? senderId);
    if (newest.senders.length > MOST_SENDERS) newest.senders = newest.senders.slice(-READ_SENDERS);
    newest.seq = seq;
  }

  async function read(conversation: ConversationRef): Promise<Newest> {
    const at = performance.now();
    const found = await store
      .of(conversation.kind)
      .find({ conversation_id: conversation.id }, { projection: { _id: 0, seq: 1, sender_id: 1 } })
      .sort({ seq: -1 })
      .limit(READ_SENDERS)
      .toArray();
    const senders = found.toReversed().map(({ sender_id }) => sender_id.toHexString());
    const newest = { seq: found[0]?.seq ?? 0, senders, at };
    const known = conversations.get(conversation.id);
    if (known && known.seq >= newest.seq) return known;
    if (newest.seq > 0) conversations.set(conversation.id, newest);
    return newest;
  }

  async function readSenders({ id, kind }: ConversationRef, above: number, upTo: number): Promise<string[]> {
    const found = await store
      .of(kind)
      .distinct('sender_id', { conversation_id: id, seq: { $gt: above, $lte: upTo } }, { hint: 'conversation_seq' });
    return found.map((sender) => sender.toHexString());
  }

  /** In a pair, the first message of each tells all. */
  async function readPairSenders(conversation: ConversationRef & { kind: 'direct' }, above: number, upTo: number) {
    const messages = store.of('direct');
    const sent = await Promise.all(
      conversation.user_ids.map((userId) =>
        messages.findOne(
          { conversation_id: conversation.id, sender_id: fromId(userId), seq: { $gt: above, $lte: upTo } },
          { projection: { _id: 1 }, hint: 'conversation_seq' },
        ),
      ),
    );
    return conversation.user_ids.filter((_, i) => sent[i]);
  }

  return {
    note({ id }, changes) {
      const last = changes.at(-1)!;
      const newest = conversations.get(id) ?? { seq: 0, senders: [], at: 0 };
      for (const { is_new, message } of changes) if (is_new) append(newest, message.seq, message.sender_id);
      if (last.last_seq > newest.seq) Object.assign(newest, { seq: last.last_seq, senders: [] });
      newest.at = performance.now();
      conversations.set(id, newest);
    },
    forget: ({ id }) => void conversations.delete(id),
    async highestSeq(conversation, atLeast) {
      const known = conversations.get(conversation.id);
      return known && known.seq >= atLeast ? known.seq : (await read(conversation)).seq;
    },
    isHighest({ id }, seq) {
      const known = conversations.get(id);
      return known?.seq === seq && performance.now() - known.at < holdsMs();
    },
    async sendersWithin(conversation, above, upTo) {
      if (above >= upTo) return [];
      const known = conversations.get(conversation.id);
      const first = known ? known.seq - known.senders.length : 0;
      if (known && above >= first && upTo <= known.seq) {
        return [...new Set(known.senders.slice(above - first, upTo - first))];
      }
      if (conversation.kind === 'direct') return readPairSenders(conversation, above, upTo);
      return readSenders(conversation, above, upTo);
    },
  };
}
