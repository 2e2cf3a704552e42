/** What can be done with a message. */
import type { ChatMessage } from 'letsapp-client';
import { useState } from 'preact/hooks';
import { IconButton } from '../parts/icon.tsx';
import { Confirm } from '../parts/modal.tsx';
import type { MessageActions } from './actions.ts';

const EMOJI = ['👍', '❤️', '😂', '😮', '😢', '🎉'];

export function MessageBar({
  message,
  isOwn,
  actions,
  onEdit,
}: {
  message: ChatMessage;
  isOwn: boolean;
  actions: MessageActions;
  onEdit(): void;
}) {
  const [isChoosing, setChoosing] = useState(false);
  const [isDeleting, setDeleting] = useState(false);
  return (
    <div class="message-bar" role="toolbar" aria-label="Message actions">
      {isChoosing ? (
        EMOJI.map((emoji) => (
          <button
            key={emoji}
            type="button"
            class="message-bar__emoji"
            onClick={() => {
              setChoosing(false);
              void actions.react(message, emoji, false);
            }}
          >
            {emoji}
          </button>
        ))
      ) : (
        <>
          <IconButton icon="smile" label="React" onClick={() => setChoosing(true)} />
          <IconButton icon="reply" label="Reply" onClick={() => actions.reply(message)} />
          {isOwn && <IconButton icon="edit" label="Edit" onClick={onEdit} />}
          {isOwn && <IconButton icon="remove" label="Delete" onClick={() => setDeleting(true)} />}
        </>
      )}
      {isDeleting && (
        <Confirm
          question="Delete this message for everyone?"
          action="Delete"
          onConfirm={() => void actions.remove(message)}
          onClose={() => setDeleting(false)}
        />
      )}
    </div>
  );
}
