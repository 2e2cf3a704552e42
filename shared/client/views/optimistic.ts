/** Changes that are shown before the server has answered. */
import type { Message } from '../contract.ts';

export interface Optimistic {
  /** Other each time something changes. */
  version(): unknown;
  /** A message as it will be if the server agrees. */
  show(message: Message): Message;
  /** Shows a change for as long as the task takes; then what it brought shows, or what was there before. */
  during<T>(messageId: string, change: (message: Message) => Message, task: () => Promise<T>): Promise<T>;
}

export function createOptimistic(onChanged: () => void): Optimistic {
  const changes = new Map<string, Set<(message: Message) => Message>>();
  let version = {};

  function changed(): void {
    version = {};
    onChanged();
  }

  return {
    version: () => version,
    show(message) {
      let shown = message;
      for (const change of changes.get(message._id) ?? []) shown = change(shown);
      return shown;
    },
    async during(messageId, change, task) {
      const own = (message: Message) => change(message);
      const group = changes.get(messageId) ?? new Set();
      changes.set(messageId, group.add(own));
      changed();
      try {
        return await task();
      } finally {
        group.delete(own);
        if (group.size === 0) changes.delete(messageId);
        changed();
      }
    },
  };
}

/** What an edit changes; what is left out stays, and what is empty goes. */
export interface Edit {
  content: string;
  metadata?: Record<string, unknown>;
  mentions?: NonNullable<Message['mentions']>;
}

/** How an edit will look. */
export function edited({ content, metadata, mentions }: Edit) {
  return (message: Message): Message => {
    if (message.is_deleted) return message;
    const { metadata: metadataBefore, mentions: mentionsBefore, ...others } = message;
    const edited_at = message.edited_at ?? new Date().toISOString();
    return {
      ...(others as Message),
      content,
      edited_at,
      ...unlessEmpty('metadata', metadata ?? metadataBefore),
      ...unlessEmpty('mentions', mentions ?? mentionsBefore),
    };
  };
}

const unlessEmpty = (name: string, value: object | undefined) =>
  value && Object.keys(value).length > 0 ? { [name]: value } : {};

/** How a pin, or taking it away, will look. */
export function pinnedBy(userId: string, isPinned: boolean) {
  return (message: Message): Message => {
    if (message.is_deleted || (message.pinned !== undefined) === isPinned) return message;
    const { pinned: _, ...others } = message;
    return { ...(others as Message), ...(isPinned ? { pinned: { by: userId, at: new Date().toISOString() } } : {}) };
  };
}

/** How a deletion will look. */
export function removed(message: Message): Message {
  const { reactions: _, metadata: __, mentions: ___, pinned: ____, forwarded: _____, ...others } = message;
  return { ...(others as Message), is_deleted: true, content: '', attachment: null };
}

/** How a reaction of a user will look. */
export function reacted(emoji: string, userId: string, isTakenBack: boolean) {
  return (message: Message): Message => {
    const { reactions: before = [], ...others } = message;
    const known = before.find((reaction) => reaction.emoji === emoji);
    if (message.is_deleted || (known?.user_ids.includes(userId) ?? false) === !isTakenBack) return message;
    const step = isTakenBack ? -1 : 1;
    const user_ids = (known?.user_ids ?? []).filter((id) => id !== userId);
    if (!isTakenBack) user_ids.push(userId);
    const count = known?.count === undefined ? {} : { count: known.count + step };
    const reaction = { emoji, user_ids, ...count };
    const kept = user_ids.length > 0 ? [reaction] : [];
    const reactions = known ? before.flatMap((one) => (one === known ? kept : [one])) : [...before, ...kept];
    return { ...(others as Message), ...(reactions.length > 0 ? { reactions } : {}) };
  };
}
