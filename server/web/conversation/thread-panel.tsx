/** The thread that hangs on a message: beside the conversation, or in its place where there is little room. */
import type { ChatMessage, Target } from 'letsapp-client';
import { useClient, useMe, useThread } from 'letsapp-client/react';
import { useCallback, useMemo, useState } from 'preact/hooks';
import { IconButton } from '../parts/icon.tsx';
import { attempt } from '../parts/notices.tsx';
import { go, linkTo } from '../route.ts';
import { Composer } from './composer.tsx';
import { Log } from './log.tsx';
import { useReading } from './reading.ts';
import { useActions } from './use-actions.tsx';

export function ThreadPanel({ target, rootId, isAlone }: { target: Target; rootId: string; isAlone: boolean }) {
  const client = useClient();
  const me = useMe()?._id;
  const { root, messages, has_older, loading, following, loadOlder } = useThread(rootId);
  const [answered, setAnswered] = useState<ChatMessage>();
  const { actions, dialog } = useActions(target, setAnswered, undefined);
  // The message that the thread hangs on is its first, once all between is there.
  const shown = useMemo(() => (root && !has_older ? [root, ...messages] : messages), [root, messages, has_older]);
  const onEnd = useReading(
    useCallback(() => client.markThreadRead(rootId), [client, rootId]),
    messages,
  );
  const older = useCallback(() => void loadOlder().catch(() => {}), [loadOlder]);
  const Part = isAlone ? 'main' : 'aside';

  return (
    <Part class="conversation thread" aria-label="Thread">
      <header class="conversation__head">
        {isAlone && <IconButton icon="back" label="Back" onClick={() => go(linkTo(target))} />}
        <div class="conversation__who">
          {isAlone ? <h1>Thread</h1> : <h2>Thread</h2>}
          <p>{countOf(root)}</p>
        </div>
        <button
          type="button"
          class="button button--small"
          aria-pressed={following}
          disabled={!root}
          onClick={() => attempt(() => client.follow(rootId, !following))}
        >
          {following ? 'Following' : 'Follow'}
        </button>
        {!isAlone && <IconButton icon="close" label="Close thread" onClick={() => go(linkTo(target))} />}
      </header>
      <Log
        label="Thread"
        messages={shown}
        hasOlder={has_older}
        isLoading={loading}
        loadOlder={older}
        me={me}
        isGroup={target.group_id !== undefined}
        wanted={undefined}
        actions={actions}
        onEnd={onEnd}
      />
      {root?.is_deleted ? (
        <p class="conversation__closed">The message was deleted: nothing can be added.</p>
      ) : (
        <Composer target={target} thread={rootId} answered={answered} onAnswered={() => setAnswered(undefined)} />
      )}
      {dialog}
    </Part>
  );
}

function countOf(root: ChatMessage | undefined): string {
  const count = root?.thread?.reply_count ?? 0;
  if (count === 0) return 'No replies yet';
  return count === 1 ? '1 reply' : `${count} replies`;
}
