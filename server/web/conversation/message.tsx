/** One message: who, what, when, and how far it has come. */
import type { ChatMessage } from 'letsapp-client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Avatar } from '../parts/avatar.tsx';
import { Icon, type IconName } from '../parts/icon.tsx';
import { nameOf, usePerson } from '../people/names.ts';
import { timeOf } from '../when.ts';
import type { MessageActions } from './actions.ts';
import { Attachment } from './attachment.tsx';
import { MessageBar } from './message-bar.tsx';
import { Reactions } from './reactions.tsx';
import { RichText } from './rich-text.tsx';

export interface MessageProps {
  message: ChatMessage;
  /** The first of several of its sender: it says who that is. */
  isFirst: boolean;
  answered: ChatMessage | undefined;
  isOwn: boolean;
  me: string | undefined;
  isGroup: boolean;
  actions: MessageActions;
  /** Whether what can be done with it is shown. */
  isActive: boolean;
  isLast: boolean;
  /** Told that it is pointed at, or has the focus. */
  onActive(message: ChatMessage): void;
}

export function Message({
  message,
  isFirst,
  answered,
  isOwn,
  me,
  isGroup,
  actions,
  isActive,
  isLast,
  onActive,
}: MessageProps) {
  const article = useRef<HTMLElement>(null);
  const [isEditing, setEditing] = useState(false);
  const sender = usePerson(message.sender_id);
  const name = isOwn ? 'You' : sender ? nameOf(sender) : '…';
  const activate = () => onActive(message);
  const isThere = message.seq > 0 && !message.is_deleted;

  function endEditing(): void {
    setEditing(false);
    article.current?.focus();
  }

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: by keyboard the focus does the same
    <article
      ref={article}
      class={`message ${isOwn ? 'message--own' : ''} ${isFirst ? 'message--first' : ''}`}
      aria-label={`${name}, ${timeOf(message.created_at)}`}
      data-id={message._id}
      tabIndex={isLast || isActive ? 0 : -1}
      onMouseEnter={activate}
      onFocusCapture={activate}
      onClick={activate}
    >
      {isGroup && !isOwn && (
        <span class="message__avatar">
          {isFirst && <Avatar name={name} picture={sender?.profile_picture} size={32} />}
        </span>
      )}
      <div class="message__body">
        <div class="message__bubble">
          {isGroup && !isOwn && isFirst && <p class="message__sender">{name}</p>}
          <Marks message={message} />
          {message.reply_to && <Answered message={answered} me={me} />}
          {message.attachment && !message.is_deleted && (
            <Attachment mediaId={message.attachment.media_id} type={message.message_type} />
          )}
          <div hidden={isEditing}>
            <Content message={message} />
          </div>
          {isEditing && (
            <Editor
              content={message.content}
              onSave={(content) => {
                endEditing();
                void actions.edit(message, content);
              }}
              onCancel={endEditing}
            />
          )}
          <p class="message__meta">
            {message.edited_at && !message.is_deleted && <span>edited</span>}{' '}
            <time dateTime={message.created_at}>{timeOf(message.created_at)}</time>{' '}
            {isOwn && message.state && !message.is_deleted && <State state={message.state} />}
          </p>
          {message.thread && actions.openThread && (
            <button type="button" class="message__thread" onClick={() => actions.openThread?.(message)}>
              <Icon name="thread" size={15} /> {message.thread.reply_count} in thread
            </button>
          )}
          {message.state === 'failed' && (
            <p class="message__failed">
              <span>{message.error?.message ?? 'Not sent'}</span>{' '}
              <button type="button" class="link" onClick={() => actions.retry(message)}>
                Try again
              </button>{' '}
              <button type="button" class="link" onClick={() => actions.discard(message)}>
                Discard
              </button>
            </p>
          )}
          <Reactions message={message} me={me} onReact={actions.react} />
        </div>
        {isActive && isThere && !isEditing && (
          <MessageBar message={message} isOwn={isOwn} actions={actions} onEdit={() => setEditing(true)} />
        )}
      </div>
    </article>
  );
}

function Content({ message }: { message: ChatMessage }) {
  if (message.is_deleted) return <p class="message__deleted">Message deleted</p>;
  return message.content ? <RichText text={message.content} mentions={message.mentions} /> : null;
}

/** What is said of a message above its text. */
function Marks({ message }: { message: ChatMessage }) {
  const marks: [IconName, string][] = [];
  if (message.pinned) marks.push(['pin', 'Pinned']);
  if (message.forwarded) marks.push(['forward', 'Forwarded']);
  if (message.thread_id !== undefined && message.in_conversation) marks.push(['thread', 'From a thread']);
  if (marks.length === 0) return null;
  return (
    <p class="message__marks">
      {marks.map(([icon, text]) => (
        <span key={text}>
          <Icon name={icon} size={14} /> {text}
        </span>
      ))}
    </p>
  );
}

const STATES: Record<NonNullable<ChatMessage['state']>, { text: string; icon: IconName }> = {
  sending: { text: 'Sending', icon: 'clock' },
  sent: { text: 'Sent', icon: 'check' },
  delivered: { text: 'Delivered', icon: 'checks' },
  read: { text: 'Read', icon: 'checks' },
  failed: { text: 'Failed', icon: 'warning' },
};

function State({ state }: { state: NonNullable<ChatMessage['state']> }) {
  const { text, icon } = STATES[state];
  return (
    <span class={`message__state message__state--${state}`}>
      <span>{text}</span>
      <Icon name={icon} size={15} />
    </span>
  );
}

function Answered({ message, me }: { message: ChatMessage | undefined; me: string | undefined }) {
  const sender = usePerson(message?.sender_id ?? me ?? '');
  if (!message) return <blockquote class="message__answered">An earlier message</blockquote>;
  const name = message.sender_id === me ? 'You' : sender ? nameOf(sender) : '…';
  return (
    <blockquote class="message__answered">
      <span class="message__answered-name">{name}</span>{' '}
      <span>{message.is_deleted ? 'Message deleted' : message.content || 'Attachment'}</span>
    </blockquote>
  );
}

function Editor({ content, onSave, onCancel }: { content: string; onSave(content: string): void; onCancel(): void }) {
  const [text, setText] = useState(content);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <form
      class="message__editor"
      onSubmit={(event) => {
        event.preventDefault();
        onSave(text);
      }}
    >
      <textarea
        ref={field}
        aria-label="Edit text"
        value={text}
        rows={Math.min(8, text.split('\n').length)}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onCancel();
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          onSave(text);
        }}
      />
      <button type="submit" class="button button--small button--main">
        Save
      </button>
      <button type="button" class="button button--small" onClick={onCancel}>
        Cancel
      </button>
    </form>
  );
}
