/** Searching messages of all conversations. */
import type { Message } from 'letsapp-client';
import { useClient, useConversations, useMe } from 'letsapp-client/react';
import { useEffect, useState } from 'preact/hooks';
import { titleOf } from './conversations/summary.ts';
import { Field } from './parts/field.tsx';
import { Sheet } from './parts/sheet.tsx';
import { nameOf, usePerson } from './people/names.ts';
import { linkTo } from './route.ts';
import { briefly } from './when.ts';

/** After the last key, in milliseconds. */
const PAUSE_MS = 250;

export function Search() {
  const client = useClient();
  const [query, setQuery] = useState('');
  const [result, setResult] = useState<{ query: string; messages: Message[]; has_more: boolean; failed?: true }>();
  const wanted = query.trim();

  useEffect(() => {
    if (wanted === '') return setResult(undefined);
    let isWanted = true;
    const timer = setTimeout(() => {
      client.call('message:search', { query: wanted, limit: 50 }).then(
        (found) => isWanted && setResult({ query: wanted, ...found }),
        () => isWanted && setResult({ query: wanted, messages: [], has_more: false, failed: true }),
      );
    }, PAUSE_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [client, wanted]);

  async function more(): Promise<void> {
    const before_id = result?.messages.at(-1)?._id;
    if (!result || before_id === undefined) return;
    const next = await client
      .call('message:search', { query: result.query, limit: 50, before_id })
      .catch(() => undefined);
    if (next) setResult({ ...result, messages: [...result.messages, ...next.messages], has_more: next.has_more });
  }

  return (
    <Sheet title="Search">
      <Field
        label="Search messages"
        type="search"
        autoFocus
        maxLength={128}
        value={query}
        onInput={({ currentTarget }) => setQuery(currentTarget.value)}
      />
      <p class="sheet__note" role="status">
        {result && outcome(result)}
      </p>
      <ul class="results" aria-label="Messages found">
        {result?.messages.map((message) => (
          <li key={message._id}>
            <Hit message={message} />
          </li>
        ))}
      </ul>
      {result?.has_more && (
        <button class="button" type="button" onClick={more}>
          More
        </button>
      )}
    </Sheet>
  );
}

function outcome({ messages, has_more, failed }: { messages: Message[]; has_more: boolean; failed?: true }): string {
  if (failed) return 'Searching needs a connection.';
  if (messages.length === 0) return 'Nothing found.';
  return `${messages.length}${has_more ? '+' : ''} found`;
}

function Hit({ message }: { message: Message }) {
  const me = useMe()?._id;
  const sender = usePerson(message.sender_id);
  const conversation = useConversations().find((one) => one.conversation_id === message.conversation_id);
  const other = 'recipient_id' in message && message.sender_id === me ? message.recipient_id : message.sender_id;
  const target = 'group_id' in message ? { group_id: message.group_id } : { recipient_id: other };
  return (
    <a class="result" href={linkTo(target, message._id)}>
      <span class="result__where">
        {sender && nameOf(sender)}
        {conversation?.group && ` in ${titleOf(conversation)}`}
      </span>{' '}
      <span class="result__time">{briefly(message.created_at)}</span>{' '}
      <span class="result__text">{message.content}</span>
    </a>
  );
}
