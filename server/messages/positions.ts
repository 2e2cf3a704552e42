/** The newest `seq` and `rev` of the conversations that this node writes to. */
import type { MessageStore } from '../conversations/message-store.ts';
import { unavailable } from '../lib/errors.ts';
import { createLru } from '../lib/lru.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';

/** How many conversations' newest positions are remembered. */
const REMEMBERED = 50_000;
/** How often a write loses its position to other nodes before its sender is asked to come back. */
export const MAX_ATTEMPTS = 50;

/** The refusal after `MAX_ATTEMPTS`. */
export const tooBusy = () => unavailable('the conversation is too busy: this was not carried out; try again');

export interface Position {
  seq: number;
  rev: number;
}

export interface Positions {
  /** The newest position as far as this node knows; read from the store where it does not. Zeros in a new conversation. */
  newest(conversation: ConversationRef): Promise<Position>;
  /** Remembers a position that this node has just stored. */
  advance(conversation: ConversationRef, position: Position): void;
  /** The remembered position may be wrong: another node was first, or a write failed half-way. */
  forget(conversation: ConversationRef): void;
}

export interface PositionsOptions {
  store: Pick<MessageStore, 'newest'>;
  /** Creates a pair's documents. Called before its first message is stored; idempotent. */
  openPair(conversation: ConversationRef & { kind: 'direct' }): Promise<void>;
}

/** Remembers the positions of the conversations written to most recently. */
export function createPositions({ store, openPair }: PositionsOptions): Positions {
  const remembered = createLru<Position>(REMEMBERED);
  return {
    async newest(conversation) {
      const known = remembered.get(conversation.id);
      if (known) return known;
      const newest = await store.newest(conversation);
      if (newest.seq === 0 && conversation.kind === 'direct') await openPair(conversation);
      remembered.set(conversation.id, newest);
      return newest;
    },
    advance: ({ id }, position) => void remembered.set(id, position),
    forget: ({ id }) => void remembered.delete(id),
  };
}
