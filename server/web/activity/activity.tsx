/** What concerns the user, over all conversations: threads that are followed, mentions, and messages that are kept. */
import type { CommandData, Message } from 'letsapp-client';
import { useClient, useConnection, useMe } from 'letsapp-client/react';
import { useEffect, useState } from 'preact/hooks';
import { Hit } from '../conversations/hit.tsx';
import { placeOf, textOf } from '../conversations/summary.ts';
import { attempt } from '../parts/notices.tsx';
import { Sheet } from '../parts/sheet.tsx';
import { linkTo } from '../route.ts';
import { briefly } from '../when.ts';

export function Activity() {
  return (
    <Sheet title="Activity">
      <Threads />
      <Messages title="Mentions" command="message:mentions" hint="Nobody has mentioned you yet." />
      <Messages title="Kept" command="message:saved" hint="Keep a message, and you find it here." isKept />
    </Sheet>
  );
}

/** Lists are asked for again with each connection. */
function useLoaded<T>(load: () => Promise<T>): [T | undefined, (change: (loaded: T) => T) => void] {
  const isReady = useConnection() === 'ready';
  const [loaded, setLoaded] = useState<T>();
  useEffect(() => {
    if (isReady) void attempt(load).then((found) => found && setLoaded(found));
  }, [isReady]);
  return [loaded, (change) => setLoaded((before) => before && change(before))];
}

type Thread = CommandData<'thread:list'>['threads'][number];

function Threads() {
  const client = useClient();
  const [loaded] = useLoaded(() => client.call('thread:list', { limit: 50 }));
  return (
    <section class="section">
      <h2>Threads</h2>
      {!loaded && <p class="sheet__note">Loading…</p>}
      {loaded?.threads.length === 0 && <p class="sheet__note">You follow no thread that has replies.</p>}
      <ul class="results" aria-label="Threads">
        {loaded?.threads.map((thread) => (
          <li key={thread.root._id}>
            <ThreadItem thread={thread} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function ThreadItem({ thread: { root, last_reply, reply_count, unread_count } }: { thread: Thread }) {
  const me = useMe()?._id;
  return (
    <a class="result" href={linkTo(placeOf(root, me).target, { thread: root._id })}>
      <span class="result__where">{textOf(root)}</span>{' '}
      <span class="result__time">{briefly(last_reply.created_at)}</span>{' '}
      <span class="result__text">{textOf(last_reply)}</span>{' '}
      <span class="result__note">
        {reply_count} {reply_count === 1 ? 'reply' : 'replies'}
        {unread_count > 0 && `, ${unread_count} unread`}
      </span>
    </a>
  );
}

function Messages({
  title,
  command,
  hint,
  isKept = false,
}: {
  title: string;
  command: 'message:mentions' | 'message:saved';
  hint: string;
  isKept?: boolean;
}) {
  const client = useClient();
  const [loaded, change] = useLoaded(() => client.call(command, { limit: 50 }));

  async function more(): Promise<void> {
    const before_id = loaded?.messages.at(-1)?._id;
    const next = before_id && (await attempt(() => client.call(command, { limit: 50, before_id })));
    if (next) change(({ messages }) => ({ ...next, messages: [...messages, ...next.messages] }));
  }

  async function letGo({ _id }: Message): Promise<void> {
    if (!(await attempt(() => client.save(_id, false)))) return;
    change((all) => ({ ...all, messages: all.messages.filter((one) => one._id !== _id) }));
  }

  return (
    <section class="section">
      <h2>{title}</h2>
      {!loaded && <p class="sheet__note">Loading…</p>}
      {loaded?.messages.length === 0 && <p class="sheet__note">{hint}</p>}
      <ul class="results" aria-label={title}>
        {loaded?.messages.map((message) => (
          <li key={message._id} class={isKept ? 'kept' : ''}>
            <Hit message={message} />
            {isKept && (
              <button type="button" class="button button--small" onClick={() => letGo(message)}>
                Let go
              </button>
            )}
          </li>
        ))}
      </ul>
      {loaded?.has_more && (
        <button type="button" class="button button--small" onClick={more}>
          More
        </button>
      )}
    </section>
  );
}
