/** Searching messages of all conversations. */
import type { Message } from 'letsapp-client';
import { useClient } from 'letsapp-client/react';
import { useEffect, useState } from 'preact/hooks';
import { Hit } from './conversations/hit.tsx';
import { Field } from './parts/field.tsx';
import { Sheet } from './parts/sheet.tsx';

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
