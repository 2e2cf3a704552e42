/** One conversation: who it is with, what was written, and writing. */
import type { ChatMessage, Target } from 'letsapp-client';
import { useClient, useMe, useMessages } from 'letsapp-client/react';
import { useCallback, useMemo, useState } from 'preact/hooks';
import { attempt } from '../parts/notices.tsx';
import type { MessageActions } from './actions.ts';
import { Composer } from './composer.tsx';
import { Header } from './header.tsx';
import { Log } from './log.tsx';
import { useReading } from './reading.ts';
import '../styles/conversation.css';

export function Conversation({ target, message }: { target: Target; message: string | undefined }) {
  const client = useClient();
  const me = useMe()?._id;
  const { messages, has_older, loading, loadOlder } = useMessages(target);
  const [answered, setAnswered] = useState<ChatMessage>();
  const onEnd = useReading(target, messages);

  const actions = useMemo<MessageActions>(
    () => ({
      reply: setAnswered,
      edit: (one, content) => attempt(() => client.edit(one._id, { content })),
      remove: (one) => attempt(() => client.remove(one._id)),
      react: (one, emoji, remove) => attempt(() => client.react(one._id, emoji, { remove })),
      retry: (one) => client.retry(one._id),
      discard: (one) => client.discard(one._id),
    }),
    [client],
  );
  const older = useCallback(() => void loadOlder().catch(() => {}), [loadOlder]);

  return (
    <main class="conversation">
      <Header target={target} />
      <Log
        messages={messages}
        hasOlder={has_older}
        isLoading={loading}
        loadOlder={older}
        me={me}
        isGroup={target.group_id !== undefined}
        wanted={message}
        actions={actions}
        onEnd={onEnd}
      />
      <Composer target={target} answered={answered} onAnswered={() => setAnswered(undefined)} />
    </main>
  );
}
