import type { ChatMessage } from 'letsapp-client';
import type { MessageActions } from './actions.ts';

/** The reactions to a message; one's own can be taken back. */
export function Reactions({
  message,
  me,
  onReact,
}: {
  message: ChatMessage;
  me: string | undefined;
  onReact: MessageActions['react'];
}) {
  if (!message.reactions?.length) return null;
  return (
    <div class="reactions">
      {message.reactions.map(({ emoji, user_ids, count = user_ids.length }) => {
        const isMine = me !== undefined && user_ids.includes(me);
        return (
          <button
            key={emoji}
            type="button"
            class="reaction"
            aria-pressed={isMine}
            onClick={() => void onReact(message, emoji, isMine)}
          >
            <span>{emoji}</span> <span>{count}</span>
          </button>
        );
      })}
    </div>
  );
}
