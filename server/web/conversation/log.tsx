/**
 * The messages of a conversation. They are rendered in chunks, of which only those near the view have content; the others
 * keep their height, so that a conversation of thousands of messages scrolls like one of fifty.
 */
import type { ChatMessage } from 'letsapp-client';
import { memo } from 'preact/compat';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Icon } from '../parts/icon.tsx';
import { dayOf, isSameDay } from '../when.ts';
import type { MessageActions } from './actions.ts';
import { Message } from './message.tsx';

const CHUNK = 40;
/** How far above and below the view chunks have content, in pixels. */
const MARGIN = '1500px 0px';
/** So near to the end counts as the end, and so near to the beginning asks for more, in pixels. */
const END = 80;
const BEGINNING = 800;
/** A message that follows its sender's last one within so many milliseconds does not name the sender again. */
const RUN_MS = 5 * 60_000;

interface LogProps {
  label: string;
  messages: ChatMessage[];
  hasOlder: boolean;
  isLoading: boolean;
  loadOlder(): void;
  me: string | undefined;
  isGroup: boolean;
  /** The id of a message to show. */
  wanted: string | undefined;
  actions: MessageActions;
  /** Whether the newest message is in view. */
  onEnd(isAtEnd: boolean): void;
}

export function Log({
  label,
  messages,
  hasOlder,
  isLoading,
  loadOlder,
  me,
  isGroup,
  wanted,
  actions,
  onEnd,
}: LogProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<string>();
  const chunks = useMemo(() => chunksOf(messages), [messages]);
  const byId = useMemo(() => new Map(messages.map((one) => [one._id, one])), [messages]);
  const { isAtEnd, onScroll, toEnd } = useScrolling(scroller, messages, me, { hasOlder, isLoading, loadOlder, onEnd });
  useWanted(scroller, wanted, byId.has(wanted ?? ''), hasOlder, isLoading, loadOlder);

  const activate = useCallback((message: ChatMessage) => setActive(keyOf(message)), []);
  /** Not while there is a dialog about it: the pointer may even leave the page. */
  const deactivate = useCallback(() => {
    if (!scroller.current!.querySelector('dialog[open]')) setActive(undefined);
  }, []);

  /** Up and down lead from message to message. */
  const onKeyDown = useCallback((event: KeyboardEvent) => {
    const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
    const article = (event.target as HTMLElement).closest('article');
    if (step === 0 || article !== event.target) return;
    const all = [...scroller.current!.querySelectorAll<HTMLElement>('article')];
    const next = all[all.indexOf(article!) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }, []);

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: what can be done with a message goes away with the pointer
    <div class="log" ref={scroller} onScroll={onScroll} onMouseLeave={deactivate}>
      <div class="log__content" role="log" aria-label={label} aria-busy={isLoading} onKeyDown={onKeyDown}>
        {isLoading && messages.length === 0 && <p class="log__hint">Loading…</p>}
        {!isLoading && messages.length === 0 && <p class="log__hint">Nothing written yet. Say hello.</p>}
        {hasOlder && messages.length > 0 && <p class="log__hint">Loading older messages…</p>}
        {chunks.map((chunk) => (
          <Chunk
            key={chunk.key}
            chunk={chunk}
            scroller={scroller}
            me={me}
            isGroup={isGroup}
            actions={actions}
            byId={byId}
            active={chunk.messages.some((one) => keyOf(one) === active) ? active : undefined}
            onActive={activate}
            last={messages.at(-1) && keyOf(messages.at(-1)!)}
          />
        ))}
      </div>
      {!isAtEnd && (
        <button type="button" class="log__end" aria-label="Jump to newest" onClick={toEnd}>
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}

interface ChunkOfMessages {
  key: string;
  messages: ChatMessage[];
  /** The last message before the chunk. */
  before: ChatMessage | undefined;
}

/** Chunks keep their messages for good: they go by `seq`. What is not sent yet is in the last one. */
function chunksOf(messages: ChatMessage[]): ChunkOfMessages[] {
  const chunks: ChunkOfMessages[] = [];
  let before: ChatMessage | undefined;
  let newest = 0;
  for (const message of messages) {
    if (message.seq > 0) newest = Math.floor(message.seq / CHUNK);
    const key = String(newest);
    if (chunks.at(-1)?.key !== key) chunks.push({ key, messages: [], before });
    chunks.at(-1)!.messages.push(message);
    before = message;
  }
  return chunks;
}

interface ChunkProps extends Pick<LogProps, 'me' | 'isGroup' | 'actions'> {
  chunk: ChunkOfMessages;
  scroller: { current: HTMLDivElement | null };
  byId: Map<string, ChatMessage>;
  active: string | undefined;
  onActive(message: ChatMessage): void;
  last: string | undefined;
}

function Chunk({ chunk, scroller, me, isGroup, actions, byId, active, onActive, last }: ChunkProps) {
  const element = useRef<HTMLDivElement>(null);
  const height = useRef(0);
  const [isNear, setNear] = useState(true);

  useEffect(() => {
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (!entry!.isIntersecting) height.current = entry!.boundingClientRect.height;
        setNear(entry!.isIntersecting);
      },
      { root: scroller.current, rootMargin: MARGIN },
    );
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);

  if (!isNear) return <div ref={element} style={{ height: `${height.current}px` }} />;
  return (
    <div ref={element}>
      {chunk.messages.map((message, i) => {
        const before = i === 0 ? chunk.before : chunk.messages[i - 1];
        const isNewDay = !before || !isSameDay(before.created_at, message.created_at);
        return (
          <Row
            key={keyOf(message)}
            message={message}
            day={isNewDay ? dayOf(message.created_at) : undefined}
            isFirst={isNewDay || !follows(before, message)}
            answered={message.reply_to ? byId.get(message.reply_to) : undefined}
            isOwn={message.sender_id === me}
            me={me}
            isGroup={isGroup}
            actions={actions}
            isActive={keyOf(message) === active}
            isLast={keyOf(message) === last}
            onActive={onActive}
          />
        );
      })}
    </div>
  );
}

/** The same before a message is sent and after, when its id is another. */
const keyOf = ({ sender_id, client_message_id, _id }: ChatMessage): string =>
  client_message_id === undefined ? _id : `${sender_id} ${client_message_id}`;

function follows(before: ChatMessage | undefined, { sender_id, created_at }: ChatMessage): boolean {
  return before?.sender_id === sender_id && Date.parse(created_at) - Date.parse(before.created_at) < RUN_MS;
}

const Row = memo(function Row({ day, ...message }: Parameters<typeof Message>[0] & { day: string | undefined }) {
  return (
    <>
      {day !== undefined && <p class="log__day">{day}</p>}
      <Message {...message} />
    </>
  );
});

/** Keeps the view at the end, or where it was when older messages come in above. */
function useScrolling(
  scroller: { current: HTMLDivElement | null },
  messages: ChatMessage[],
  me: string | undefined,
  { hasOlder, isLoading, loadOlder, onEnd }: Pick<LogProps, 'hasOlder' | 'isLoading' | 'loadOlder' | 'onEnd'>,
) {
  const [isAtEnd, setAtEnd] = useState(true);
  const state = useRef({
    isAtEnd: true,
    first: undefined as string | undefined,
    last: undefined as string | undefined,
    height: 0,
  });

  const toEnd = useCallback(() => scroller.current?.scrollTo({ top: scroller.current.scrollHeight }), []);

  const onScroll = useCallback(() => {
    const { scrollTop, scrollHeight, clientHeight } = scroller.current!;
    const is = scrollHeight - scrollTop - clientHeight < END;
    if (is !== state.current.isAtEnd) onEnd(is);
    state.current.isAtEnd = is;
    setAtEnd(is);
    if (scrollTop < BEGINNING && hasOlder && !isLoading) loadOlder();
  }, [hasOlder, isLoading, loadOlder, onEnd]);

  useLayoutEffect(() => {
    const view = scroller.current!;
    const { isAtEnd: was, first, last, height } = state.current;
    const [newFirst, newLast] = [messages[0]?._id, messages.at(-1)];
    const isOwnNew =
      newLast !== undefined && newLast._id !== last && newLast.sender_id === me && newLast.state === 'sending';
    if (was || isOwnNew) view.scrollTop = view.scrollHeight;
    // Where it stands at the very top the browser does not do that by itself.
    else if (first !== newFirst && view.scrollTop < 2) view.scrollTop += view.scrollHeight - height;
    Object.assign(state.current, { first: newFirst, last: newLast?._id, height: view.scrollHeight });
  }, [messages, me]);

  // Pictures that arrive, and a keyboard that opens, change heights.
  useEffect(() => {
    const view = scroller.current!;
    const observer = new ResizeObserver(() => {
      if (state.current.isAtEnd) view.scrollTop = view.scrollHeight;
    });
    observer.observe(view);
    observer.observe(view.firstElementChild!);
    return () => observer.disconnect();
  }, []);

  // A first page that does not fill the view asks for more by itself.
  useEffect(() => {
    const view = scroller.current!;
    if (hasOlder && !isLoading && view.scrollHeight <= view.clientHeight + BEGINNING) loadOlder();
  }, [messages, hasOlder, isLoading, loadOlder]);

  return { isAtEnd, onScroll, toEnd };
}

/** Brings a message into view, and loads older ones until it is there. */
function useWanted(
  scroller: { current: HTMLDivElement | null },
  wanted: string | undefined,
  isThere: boolean,
  hasOlder: boolean,
  isLoading: boolean,
  loadOlder: () => void,
): void {
  const shown = useRef<string>(undefined);
  useEffect(() => {
    if (wanted === undefined || shown.current === wanted) return;
    if (!isThere) {
      if (hasOlder && !isLoading) loadOlder();
      return;
    }
    shown.current = wanted;
    const article = scroller.current!.querySelector<HTMLElement>(`[data-id="${wanted}"]`);
    article?.scrollIntoView({ block: 'center' });
    article?.focus();
  });
}
