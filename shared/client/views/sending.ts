/** Sending: what is written shows at once, and waits in the outbox until the server has it. */
import type { Typing } from '../activity/typing.ts';
import type { Client } from '../client.ts';
import type { Target } from '../contract.ts';
import type { Draft, Item } from '../outbox/item.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Store } from '../store/store.ts';
import { type ChatMessage, pendingMessage } from './chat-messages.ts';

export interface SendingOptions {
  outbox: Outbox;
  store: Store;
  typing: Pick<Typing, 'sent'>;
  /** The user's id, as far as the token tells it. */
  owner(): string;
}

export function createSending({
  outbox,
  store,
  typing,
  owner,
}: SendingOptions): Pick<Client, 'send' | 'forward' | 'retry' | 'discard'> {
  function send(target: Target, draft: Draft, shown?: Item['shown']): ChatMessage {
    const item = outbox.add(target, draft, shown);
    typing.sent(target);
    return pendingMessage(item, store.state().me?._id ?? owner(), store.find(target)?.[0]);
  }

  return {
    send: (target, draft) => send(target, draft),
    forward: (target, message_id) => send(target, { forward_of: message_id }, shownOf(store, message_id)),
    retry: (id) => void outbox.retry(id),
    discard: (id) => void outbox.discard(id),
  };
}

/** What a message that is forwarded says, where it is known. */
function shownOf(store: Store, messageId: string): Item['shown'] {
  for (const { messages } of store.state().conversations.values()) {
    const found = messages.find(({ _id }) => _id === messageId);
    if (!found) continue;
    const { content, attachment, message_type } = found;
    return {
      content,
      ...(attachment && message_type !== 'text' ? { attachment: { ...attachment, message_type } } : {}),
    };
  }
  return undefined;
}
