/** Where a conversation's next message goes. */
import type { MessageStore } from '../conversations/message-store.ts';
import type { NewestMessages, Position } from '../conversations/newest-messages.ts';
import { unavailable } from '../lib/errors.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';

/** How often a write loses its position to other nodes before its sender is asked to come back. */
export const MAX_ATTEMPTS = 50;

/** The refusal after `MAX_ATTEMPTS`. */
export const tooBusy = () => unavailable('the conversation is too busy: this was not carried out; try again');

export interface PositionsOptions {
  store: Pick<MessageStore, 'newest' | 'open'>;
  newest: Pick<NewestMessages, 'position' | 'learn'>;
  /** Creates a pair's documents. Called before its first message is stored; idempotent. */
  openPair(conversation: ConversationRef & { kind: 'direct' }): Promise<void>;
}

/** The newest position as far as this node knows; read from the store where it does not. Zeros in a new conversation. */
export async function newestPosition(
  { store, newest, openPair }: PositionsOptions,
  conversation: ConversationRef,
): Promise<Position> {
  const known = newest.position(conversation);
  if (known) return known;
  const found = await store.newest(conversation);
  if (found.seq === 0) {
    const opening = [store.open(conversation.id), ...(conversation.kind === 'direct' ? [openPair(conversation)] : [])];
    await Promise.all(opening);
  }
  newest.learn(conversation, found);
  return found;
}
