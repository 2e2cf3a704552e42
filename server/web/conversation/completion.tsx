/** Completes the names of those who are mentioned while a message is written. */
import type { PublicUser, Target } from 'letsapp-client';
import { useClient, useRights } from 'letsapp-client/react';
import { useEffect, useState } from 'preact/hooks';
import { Avatar } from '../parts/avatar.tsx';
import { nameOf, peopleIn, remember } from '../people/names.ts';
import { useConversation } from './current.ts';
import { beginningAt, EVERYONE } from './mentions.ts';

/** After the last key, in milliseconds: searches are limited to a number a minute. */
const PAUSE_MS = 200;
const MOST = 6;

interface Option {
  username: string;
  name: string;
  picture?: string | null;
}

export interface Completion {
  options: Option[];
  chosen: number;
  /** @returns whether the key was for the list */
  onKey(event: KeyboardEvent): boolean;
  choose(option: Option): void;
}

/**
 * @param caret where the text is written; undefined while it is not
 * @param onText told the text with a name in it, and where the caret is then
 */
export function useCompletion(
  target: Target,
  text: string,
  caret: number | undefined,
  onText: (text: string, caret: number) => void,
): Completion {
  const { mention_everyone } = useRights(target);
  const [chosen, setChosen] = useState(0);
  const [closedFor, setClosedFor] = useState<string>();
  const written = caret === undefined ? undefined : beginningAt(text, caret);
  const beginning = written === closedFor ? undefined : written?.toLowerCase();
  const people = useFound(target, beginning);
  const everyone = mention_everyone ? [{ username: EVERYONE, name: 'All of the group' }] : [];
  const options = [...people.map(optionOf), ...everyone].filter(
    ({ username, name }) =>
      beginning !== undefined &&
      (username.toLowerCase().startsWith(beginning) || name.toLowerCase().startsWith(beginning)),
  );
  const shown = options.slice(0, MOST);
  useEffect(() => setChosen(0), [beginning]);

  function choose({ username }: Option): void {
    const start = caret! - (written?.length ?? 0);
    const before = `${text.slice(0, start)}${username} `;
    onText(before + text.slice(caret).replace(/^ /, ''), before.length);
  }

  function onKey(event: KeyboardEvent): boolean {
    const option = shown[chosen];
    if (!option) return false;
    // What is there already in full is sent, not completed.
    const isWhole = option.username.toLowerCase() === beginning;
    if (event.key === 'ArrowDown') setChosen((chosen + 1) % shown.length);
    else if (event.key === 'ArrowUp') setChosen((chosen + shown.length - 1) % shown.length);
    else if (event.key === 'Escape') setClosedFor(written);
    else if ((event.key === 'Enter' && !isWhole) || event.key === 'Tab') choose(option);
    else return false;
    event.preventDefault();
    return true;
  }

  return { options: shown, chosen, onKey, choose };
}

const optionOf = (person: PublicUser): Option => ({
  username: person.username,
  name: nameOf(person),
  picture: person.profile_picture,
});

/** Those in the conversation whose name begins so: who is known, and who the server finds. */
function useFound(target: Target, beginning: string | undefined): PublicUser[] {
  const client = useClient();
  const members = useConversation(target)?.group?.members;
  const [, setLoaded] = useState(0);

  useEffect(() => {
    if (!beginning || !members) return undefined;
    const timer = setTimeout(() => {
      client.call('user:search', { query: beginning }).then(
        ({ users }) => {
          remember(
            client,
            users.filter(({ _id }) => members.includes(_id)),
          );
          setLoaded((count) => count + 1);
        },
        () => {},
      );
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [client, beginning, members]);

  return beginning === undefined ? [] : peopleIn(client, target);
}

export function CompletionList({ id, completion }: { id: string; completion: Completion }) {
  const { options, chosen, choose } = completion;
  if (options.length === 0) return null;
  return (
    <div class="completion" id={id} role="listbox" aria-label="People to mention">
      {options.map((option, i) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the keys go to the field, which keeps the focus
        <div
          key={option.username}
          class="completion__option"
          id={`${id}-${i}`}
          role="option"
          tabIndex={-1}
          aria-selected={i === chosen}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => choose(option)}
        >
          <Avatar name={option.name} picture={option.picture} size={32} />
          <span class="person__name">{option.name}</span> <span class="person__username">@{option.username}</span>
        </div>
      ))}
    </div>
  );
}
