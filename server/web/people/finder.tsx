/** A field that finds people by the beginning of their name. */
import type { PublicUser } from 'letsapp-client';
import { useClient } from 'letsapp-client/react';
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Field } from '../parts/field.tsx';

/** After the last key, in milliseconds: searches are limited to a number a minute. */
const PAUSE_MS = 300;

export function Finder({
  autoFocus = true,
  children,
}: {
  autoFocus?: boolean;
  children(person: PublicUser): ComponentChildren;
}) {
  const client = useClient();
  const [query, setQuery] = useState('');
  const [found, setFound] = useState<{ people: PublicUser[]; failed?: true }>();
  const wanted = query.trim();

  useEffect(() => {
    if (wanted === '') return setFound(undefined);
    let isWanted = true;
    const timer = setTimeout(() => {
      client.call('user:search', { query: wanted }).then(
        ({ users }) => isWanted && setFound({ people: users.filter(({ _id }) => _id !== client.me.get()?._id) }),
        () => isWanted && setFound({ people: [], failed: true }),
      );
    }, PAUSE_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [client, wanted]);

  return (
    <>
      <Field
        label="Search people"
        type="search"
        autoFocus={autoFocus}
        maxLength={100}
        placeholder="Name or username"
        value={query}
        onInput={({ currentTarget }) => setQuery(currentTarget.value)}
      />
      <p class="sheet__note" role="status">
        {found?.failed ? 'Searching needs a connection.' : found?.people.length === 0 ? 'Nobody found.' : ''}
      </p>
      <ul class="people" aria-label="People found">
        {found?.people.map((person) => (
          <li key={person._id}>{children(person)}</li>
        ))}
      </ul>
    </>
  );
}
