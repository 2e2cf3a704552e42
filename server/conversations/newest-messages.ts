/**
 * Remembers the newest messages of conversations: the highest `seq` and `rev`, and who sent the last ones. Sends and marks
 * rest on that alone; the store is asked only about what lies further back, or beyond.
 */
import type { Change } from '../bus/operations.ts';
import { createLru } from '../lib/lru.ts';
import { fromId } from '../model/codec.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { MessageStore } from './message-store.ts';

/** How many conversations are remembered. */
const REMEMBERED = 50_000;
/** How many senders are read at once … */
const READ_SENDERS = 64;
/** … and kept at most, of one conversation. */
const MOST_SENDERS = 256;
/**
 * How long a writer relies on a position that others may have moved on, in milliseconds. The unique indexes refuse what
 * is taken twice; they know every `rev` of that time (`message-store.ts`).
 */
const RELIED_ON_MS = 5000;

/** The highest `seq` and `rev` of a conversation; zeros where nothing is stored. */
export interface Position {
  seq: number;
  rev: number;
}

export interface NewestMessages {
  /** Takes note of changes that are stored. */
  note(conversation: ConversationRef, changes: readonly Change[]): void;
  /** Takes note of a position that was read. */
  learn(conversation: ConversationRef, position: Position): void;
  /** Forgets a conversation: what is stored of it may never have been told. */
  forget(conversation: ConversationRef): void;
  /** Forgets all: this node may have missed something. */
  clear(): void;
  /** The newest position, where a writer may rely on it. */
  position(conversation: ConversationRef): Position | undefined;
  /** @returns the highest `seq` as far as it is known; what the store says if that is below `atLeast` */
  highestSeq(conversation: ConversationRef, atLeast: number): Promise<number>;
  /** Whether a `seq` is the highest for certain. */
  isHighest(conversation: ConversationRef, seq: number): boolean;
  /** The ids of those who sent the messages above a `seq` and up to another. */
  sendersWithin(conversation: ConversationRef, above: number, upTo: number): Promise<string[]>;
}

interface Newest {
  seq: number;
  /** Undefined where only messages were read. */
  rev: number | undefined;
  /** Who sent the last messages, up to `seq`. */
  senders: string[];
  /** When this was so, in milliseconds. */
  at: number;
}

export interface NewestMessagesOptions {
  store: Pick<MessageStore, 'of'>;
  /** Whether nobody else writes to the database. */
  isAlone(): boolean;
  /** Whether this node has heard of every change of a conversation since a moment, in milliseconds. */
  hears(conversation: ConversationRef, since: number): boolean;
  clock(): Date;
}

export function createNewestMessages({ store, isAlone, hears, clock }: NewestMessagesOptions): NewestMessages {
  const conversations = createLru<Newest>('newest messages', REMEMBERED);
  const now = () => clock().getTime();
  const isCertain = (conversation: ConversationRef, at: number) => isAlone() || hears(conversation, at);

  function append(newest: Newest, seq: number, senderId: string): void {
    if (seq <= newest.seq) return;
    if (seq > newest.seq + 1) newest.senders = [];
    // One string for a sender, however many messages.
    newest.senders.push(newest.senders.find((known) => known === senderId) ?? senderId);
    if (newest.senders.length > MOST_SENDERS) newest.senders = newest.senders.slice(-READ_SENDERS);
    newest.seq = seq;
  }

  async function read(conversation: ConversationRef): Promise<number> {
    const at = now();
    const found = await store
      .of(conversation.kind)
      .find({ conversation_id: conversation.id }, { projection: { _id: 0, seq: 1, sender_id: 1 } })
      .sort({ seq: -1 })
      .limit(READ_SENDERS)
      .toArray();
    const seq = found[0]?.seq ?? 0;
    const known = conversations.get(conversation.id);
    if (known && known.seq > seq) return known.seq;
    const senders = found.toReversed().map(({ sender_id }) => sender_id.toHexString());
    const rev = known?.seq === seq ? known.rev : undefined;
    if (seq > 0) conversations.set(conversation.id, { seq, rev, senders, at: rev === undefined ? at : known!.at });
    return seq;
  }

  async function readSenders({ id, kind }: ConversationRef, above: number, upTo: number): Promise<string[]> {
    const found = await store
      .of(kind)
      .distinct('sender_id', { conversation_id: id, seq: { $gt: above, $lte: upTo } }, { hint: 'conversation_seq' });
    return found.map((sender) => sender.toHexString());
  }

  /** In a pair, one message of each user is enough to know. */
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
      const newest: Newest = conversations.get(id) ?? { seq: 0, rev: undefined, senders: [], at: 0 };
      if (newest.rev !== undefined && last.rev <= newest.rev) return;
      for (const { is_new, message } of changes) if (is_new) append(newest, message.seq, message.sender_id);
      if (last.last_seq > newest.seq) Object.assign(newest, { seq: last.last_seq, senders: [] });
      Object.assign(newest, { rev: last.rev, at: now() });
      conversations.set(id, newest);
    },
    learn({ id }, { seq, rev }) {
      const known = conversations.get(id);
      if (known?.rev !== undefined && known.rev > rev) return;
      const senders = known?.seq === seq ? known.senders : [];
      conversations.set(id, { seq, rev, senders, at: now() });
    },
    forget: ({ id }) => void conversations.delete(id),
    clear: () => conversations.clear(),
    position(conversation) {
      const known = conversations.get(conversation.id);
      if (known?.rev === undefined) return undefined;
      const isRecent = now() - known.at < RELIED_ON_MS;
      return isRecent || isCertain(conversation, known.at) ? { seq: known.seq, rev: known.rev } : undefined;
    },
    async highestSeq(conversation, atLeast) {
      const known = conversations.get(conversation.id);
      return known && known.seq >= atLeast ? known.seq : read(conversation);
    },
    isHighest(conversation, seq) {
      const known = conversations.get(conversation.id);
      return known?.seq === seq && isCertain(conversation, known.at);
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
