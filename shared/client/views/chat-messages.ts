/** Messages as they are shown: each with how far it has come, and what waits to be sent behind them. */
import type { Message, Receipt, Self } from '../contract.ts';
import { ClientError } from '../errors.ts';
import type { Item } from '../outbox/item.ts';

/** A message, and of own ones how far it has come. */
export type ChatMessage = Message & {
  state?: 'sending' | 'sent' | 'delivered' | 'read' | 'failed';
  /** Why the server refused it. */
  error?: ClientError;
};

export interface ChatMessages {
  /** Ascending; those that wait to be sent come last. */
  messages: ChatMessage[];
  /** Whether there are older ones (`loadOlder`). */
  has_older: boolean;
  loading: boolean;
}

type Progress = 'sent' | 'delivered' | 'read';

/** How far others have come: in a group the first of them counts. */
function marksOfOthers(receipts: readonly Receipt[], me: string): { delivered: number; read: number } {
  const others = receipts.filter(({ user_id }) => user_id !== me);
  return {
    delivered: Math.max(0, ...others.map(({ delivered_seq }) => delivered_seq)),
    read: Math.max(0, ...others.map(({ read_seq }) => read_seq)),
  };
}

function progressOf(message: Message, me: string, { delivered, read }: { delivered: number; read: number }): Progress {
  const told = 'status' in message ? message.status : message.read_by.some((id) => id !== me) ? 'read' : 'sent';
  if (told === 'read' || message.seq <= read) return 'read';
  return told === 'delivered' || message.seq <= delivered ? 'delivered' : 'sent';
}

export interface ShownFrom {
  /** Ascending. */
  messages: readonly Message[];
  receipts: readonly Receipt[];
  conversationId: string | undefined;
  /** Whether a message is shown here: of a conversation, or of one thread of it. */
  isShown(message: Pick<Message, 'thread_id' | 'in_conversation'>): boolean;
  /** What waits for this conversation, in order. */
  items: readonly Item[];
  me: Self | undefined;
  /** The user's id where `me` is not known yet. */
  owner: string;
  show(message: Message): Message;
}

/** Makes lists whose messages keep their identity for as long as they say the same. */
export function createChatMessages(): (from: ShownFrom) => ChatMessage[] {
  /** What was shown for a message, by what it was made of. */
  const shown = new WeakMap<Message, { progress: Progress | undefined; made: ChatMessage }>();
  const waiting = new WeakMap<Item, ChatMessage>();

  function chatMessage(message: Message, progress: Progress | undefined): ChatMessage {
    if (progress === undefined) return message;
    const known = shown.get(message);
    if (known?.progress === progress) return known.made;
    const status = 'status' in message ? { status: progress } : {};
    const made = { ...message, ...status, state: progress } as ChatMessage;
    shown.set(message, { progress, made });
    return made;
  }

  return ({ messages: known, receipts, conversationId, isShown, items, me, owner, show }) => {
    const id = me?._id ?? owner;
    const marks = marksOfOthers(receipts, id);
    const arrived = new Set<string | undefined>();
    const messages: ChatMessage[] = [];
    for (const message of known) {
      const isOwn = message.sender_id === id;
      if (isOwn) arrived.add(message.client_message_id);
      if (isShown(message))
        messages.push(chatMessage(show(message), isOwn ? progressOf(message, id, marks) : undefined));
    }
    for (const item of items) {
      if (arrived.has(item.id) || !isShown(item.draft)) continue;
      const made = waiting.get(item) ?? pendingMessage(item, id, conversationId);
      waiting.set(item, made);
      messages.push(made);
    }
    return messages;
  };
}

/** What waits to be sent, as a message. Its `_id` is its `client_message_id`; it has no place yet. */
export function pendingMessage(item: Item, me: string, conversationId = ''): ChatMessage {
  const { id, target, draft, created_at, failed, shown } = item;
  const { attachment, reply_to, metadata, forward_of, ...others } = { ...draft, ...shown };
  const { media_id, message_type = 'document' } = attachment ?? {};
  return {
    ...others,
    _id: id,
    conversation_id: conversationId,
    seq: 0,
    rev: 0,
    sender_id: me,
    message_type: media_id === undefined ? 'text' : message_type,
    attachment: media_id === undefined ? null : { media_id },
    created_at,
    updated_at: created_at,
    is_deleted: false,
    client_message_id: id,
    ...(reply_to === undefined ? {} : { reply_to }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(forward_of === undefined ? {} : { forwarded: { count: 1 } }),
    ...(target.group_id === undefined
      ? { recipient_id: target.recipient_id, status: 'sent' }
      : { group_id: target.group_id, read_by: [] }),
    state: failed ? 'failed' : 'sending',
    ...(failed ? { error: new ClientError(failed) } : {}),
  } as ChatMessage;
}
