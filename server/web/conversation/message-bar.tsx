/** What can be done with a message: in a bar beside it, and in a menu what is rarer, or finds no room in the bar. */
import type { ChatMessage } from 'letsapp-client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { IconButton } from '../parts/icon.tsx';
import { Menu, type MenuItem } from '../parts/menu.tsx';
import { Confirm } from '../parts/modal.tsx';
import { Popup } from '../parts/popup.tsx';
import type { MessageActions } from './actions.ts';

const EMOJI = ['👍', '❤️', '😂', '😮', '😢', '🎉'];
/** In the bar where there is room for some more buttons, or for many; else in the menu (styles/message-bar.css). */
const SOME = 'if-room';
const MUCH = 'if-much-room';

interface MessageBarProps {
  message: ChatMessage;
  isOwn: boolean;
  actions: MessageActions;
  onEdit(): void;
}

export function MessageBar(props: MessageBarProps) {
  const { message, actions } = props;
  const [opened, setOpened] = useState<'emoji' | 'menu'>();
  const [isDeleting, setDeleting] = useState(false);
  const bar = useRef<HTMLDivElement>(null);
  const main = mainActions(props, () => setDeleting(true));

  useEffect(() => {
    // A tap shows it below the message, which may be the last one in view.
    if (matchMedia('(hover: none)').matches) bar.current?.scrollIntoView({ block: 'nearest' });
  }, []);

  return (
    <div ref={bar} class="message-bar" role="toolbar" aria-label="Message actions">
      {actions.rights.react && <IconButton icon="smile" label="React" onClick={() => setOpened('emoji')} />}
      {main.map(({ icon, label, act, class: room }) => (
        <span key={label} class={room}>
          <IconButton icon={icon} label={label} onClick={act} />
        </span>
      ))}
      <IconButton icon="more" label="More" onClick={() => setOpened('menu')} />
      {opened === 'emoji' && (
        <Popup label="React" anchor={bar} onClose={() => setOpened(undefined)}>
          <div class="emoji">
            {EMOJI.map((emoji) => (
              <button
                key={emoji}
                type="button"
                class="emoji__one"
                onClick={() => {
                  setOpened(undefined);
                  void actions.react(message, emoji, false);
                }}
              >
                {emoji}
              </button>
            ))}
          </div>
        </Popup>
      )}
      {opened === 'menu' && (
        <Menu
          label="More"
          anchor={bar}
          onClose={() => setOpened(undefined)}
          items={[...main.map((each) => ({ ...each, class: `no-room ${each.class}` })), ...moreActions(props)]}
        />
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

/** Those that stand in the bar where there is room. */
function mainActions({ message, isOwn, actions, onEdit }: MessageBarProps, onDelete: () => void): MenuItem[] {
  const { rights, openThread } = actions;
  return all(
    rights.send && { icon: 'reply', label: 'Reply', act: () => actions.reply(message), class: SOME },
    openThread !== undefined &&
      message.thread_id === undefined && {
        icon: 'thread',
        label: 'Thread',
        act: () => openThread(message),
        class: MUCH,
      },
    isOwn && message.forwarded === undefined && { icon: 'edit', label: 'Edit', act: onEdit, class: MUCH },
    (isOwn || rights.is_admin) && { icon: 'remove', label: 'Delete', act: onDelete, class: MUCH },
  );
}

/** Those that are always in the menu. */
function moreActions({ message, actions }: MessageBarProps): MenuItem[] {
  return all(
    { icon: 'forward', label: 'Forward', act: () => actions.forward(message) },
    actions.rights.pin &&
      (message.pinned
        ? { icon: 'unpin', label: 'Unpin', act: () => void actions.pin(message, false) }
        : { icon: 'pin', label: 'Pin', act: () => void actions.pin(message, true) }),
    { icon: 'bookmark', label: 'Keep', act: () => void actions.save(message) },
    message.edited_at !== undefined && {
      icon: 'clock',
      label: 'Earlier texts',
      act: () => actions.showRevisions(message),
    },
  );
}

const all = (...items: (MenuItem | false)[]): MenuItem[] => items.filter((item) => item !== false);
