/** One conversation: who it is with, what was written, and writing; beside it the thread that is open. */
import type { ChatMessage, Target } from 'letsapp-client';
import { useClient, useMe, useMessages, useRights } from 'letsapp-client/react';
import { useCallback, useRef, useState } from 'preact/hooks';
import { useMediaQuery } from '../parts/media-query.ts';
import { Sheet } from '../parts/sheet.tsx';
import { go, linkTo, type Place } from '../route.ts';
import { Composer } from './composer.tsx';
import { useConversation } from './current.ts';
import { Header } from './header.tsx';
import { Log } from './log.tsx';
import { Pinned } from './pinned.tsx';
import { useReading } from './reading.ts';
import { ThreadPanel } from './thread-panel.tsx';
import { useActions } from './use-actions.tsx';
import '../styles/conversation.css';
import '../styles/thread.css';
import '../styles/message-bar.css';

/** Where a thread has no room beside its conversation. */
const NARROW = '(max-width: 1079px)';

export function Conversation({ target, place }: { target: Target; place: Place | undefined }) {
  const isNarrow = useMediaQuery(NARROW);
  const thread = place?.thread;
  return (
    <div class={`beside ${thread !== undefined && !isNarrow ? 'beside--open' : ''}`}>
      {!(thread !== undefined && isNarrow) && <Main target={target} message={place?.message} />}
      {thread !== undefined && <ThreadPanel key={thread} target={target} rootId={thread} isAlone={isNarrow} />}
    </div>
  );
}

function Main({ target, message }: { target: Target; message: string | undefined }) {
  const client = useClient();
  const me = useMe()?._id;
  const { messages, has_older, loading, loadOlder } = useMessages(target);
  const [answered, setAnswered] = useState<ChatMessage>();
  const { group_id, recipient_id } = target;
  const openThread = useCallback(
    ({ _id }: ChatMessage) => go(linkTo(target, { thread: _id })),
    [group_id, recipient_id],
  );
  const { actions, dialog } = useActions(target, setAnswered, openThread);
  const onEnd = useReading(
    useCallback(() => client.markRead(target), [client, group_id, recipient_id]),
    messages,
  );
  const older = useCallback(() => void loadOlder().catch(() => {}), [loadOlder]);
  const { send } = useRights(target);
  const conversation = useConversation(target);
  const wasThere = useRef(false);
  if (conversation) wasThere.current = true;
  // Left, removed, or deleted for all.
  if (group_id !== undefined && !conversation && wasThere.current) {
    return (
      <Sheet title="Group">
        <p>You are no longer in this group.</p>
      </Sheet>
    );
  }

  return (
    <main class="conversation">
      <Header target={target} />
      <Pinned target={target} messages={messages} />
      <Log
        label="Messages"
        messages={messages}
        hasOlder={has_older}
        isLoading={loading}
        loadOlder={older}
        me={me}
        isGroup={group_id !== undefined}
        wanted={message}
        actions={actions}
        onEnd={onEnd}
      />
      {send ? (
        <Composer target={target} answered={answered} onAnswered={() => setAnswered(undefined)} />
      ) : (
        <p class="conversation__closed">Only admins write here.</p>
      )}
      {dialog}
    </main>
  );
}
