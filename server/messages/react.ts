/** `message:react` (PROTOCOL section 4). */
import type { Handler } from '../dispatch/handlers.ts';
import { conflict } from '../lib/errors.ts';
import type { ChangeMessage } from './change-message.ts';
import type { CountedReactions } from './counted-reactions.ts';
import { CountNeeded, countedEntry, has, withoutReaction, withReaction } from './reactions.ts';

/**
 * @returns a handler that throws ContractError `conflict` on a deleted message, or one with too many emojis; as
 *   `ChangeMessage`
 */
export function createReact(changeMessage: ChangeMessage, counted: CountedReactions): Handler<'message:react'> {
  return async function react(caller, payload, dueAt) {
    const { message_id, emoji, remove = false } = payload;
    const { userId } = caller;
    const change = remove ? withoutReaction : withReaction;
    try {
      return await changeMessage(caller, message_id, dueAt, {
        // One's own reaction can always be taken back.
        action: remove ? undefined : 'react',
        async prepare({ _id, reactions = [] }) {
          const entry = countedEntry(reactions, emoji, userId);
          if (!entry) return undefined;
          if (!has(entry, userId)) await counted.change(_id, entry.emoji, userId, remove);
          return counted.count(_id, entry.emoji);
        },
        decide(message, { prepared }) {
          if (message.is_deleted) throw conflict('the message was deleted');
          const reactions = change(message.reactions ?? [], emoji, userId, prepared);
          return reactions && { ...message, reactions };
        },
      });
    } catch (error) {
      // Others have filled the entry in the meantime.
      if (error instanceof CountNeeded) return react(caller, payload, dueAt);
      throw error;
    }
  };
}
