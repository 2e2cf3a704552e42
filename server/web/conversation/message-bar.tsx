/** What can be done with a message. */
import type { ChatMessage } from 'letsapp-client';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { IconButton, type IconName } from '../parts/icon.tsx';
import { Confirm } from '../parts/modal.tsx';
import type { MessageActions } from './actions.ts';

const EMOJI = ['👍', '❤️', '😂', '😮', '😢', '🎉'];

interface Action {
  icon: IconName;
  label: string;
  act(): void;
}

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
  const [shown, setShown] = useState<'main' | 'emoji' | 'more'>('main');
  const [isDeleting, setDeleting] = useState(false);
  const bar = useRef<HTMLDivElement>(null);
  const before = useRef(shown);
  // Buttons that go take the focus with them: it stays here.
  useLayoutEffect(() => {
    if (before.current !== shown) bar.current?.querySelector('button')?.focus();
    before.current = shown;
  }, [shown]);
  const { rights, openThread } = actions;
  const mayDelete = isOwn || rights.is_admin;

  const main: (Action | false)[] = [
    rights.react && { icon: 'smile', label: 'React', act: () => setShown('emoji') },
    rights.send && { icon: 'reply', label: 'Reply', act: () => actions.reply(message) },
    openThread !== undefined &&
      message.thread_id === undefined && { icon: 'thread', label: 'Thread', act: () => openThread(message) },
    isOwn && message.forwarded === undefined && { icon: 'edit', label: 'Edit', act: onEdit },
    mayDelete && { icon: 'remove', label: 'Delete', act: () => setDeleting(true) },
    { icon: 'more', label: 'More', act: () => setShown('more') },
  ];
  const pin: Action = message.pinned
    ? { icon: 'unpin', label: 'Unpin', act: () => void actions.pin(message, false) }
    : { icon: 'pin', label: 'Pin', act: () => void actions.pin(message, true) };
  const more: (Action | false)[] = [
    { icon: 'back', label: 'Fewer', act: () => {} },
    { icon: 'forward', label: 'Forward', act: () => actions.forward(message) },
    rights.pin && pin,
    { icon: 'bookmark', label: 'Keep', act: () => void actions.save(message) },
    message.edited_at !== undefined && {
      icon: 'clock',
      label: 'Earlier texts',
      act: () => actions.showRevisions(message),
    },
  ];

  /** The first buttons are there again after each, but for those that show others. */
  function run({ act }: Action): void {
    setShown('main');
    act();
  }

  return (
    <div ref={bar} class="message-bar" role="toolbar" aria-label="Message actions">
      {shown === 'emoji'
        ? EMOJI.map((emoji) => (
            <button
              key={emoji}
              type="button"
              class="message-bar__emoji"
              onClick={() => {
                setShown('main');
                void actions.react(message, emoji, false);
              }}
            >
              {emoji}
            </button>
          ))
        : (shown === 'more' ? more : main).map(
            (action) =>
              action && (
                <IconButton key={action.label} icon={action.icon} label={action.label} onClick={() => run(action)} />
              ),
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
