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

/** How an edit will look. */
export function edited(content: string, metadata: Record<string, unknown> | undefined) {
  return (message: Message): Message => {
    if (message.is_deleted) return message;
    const { metadata: before, ...others } = message as Message & { metadata?: Record<string, unknown> };
    const after = metadata ?? before;
    const isEmpty = !after || Object.keys(after).length === 0;
    const edited_at = message.edited_at ?? new Date().toISOString();
    return { ...(others as Message), content, edited_at, ...(isEmpty ? {} : { metadata: after }) };
  };
}

/** How a deletion will look. */
export function removed(message: Message): Message {
  const { reactions: _, metadata: __, mentions: ___, ...others } = message as Message & Record<string, unknown>;
  return { ...(others as unknown as Message), is_deleted: true, content: '', attachment: null };
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
