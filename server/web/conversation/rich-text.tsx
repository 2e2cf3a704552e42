/** The text of a message, in which web addresses are links, and those who are mentioned stand out. */
import type { Message } from 'letsapp-client';
import { useMe } from 'letsapp-client/react';
import type { ComponentChildren } from 'preact';
import { usePeople } from '../people/names.ts';
import { EVERYONE, MENTION, nameIn } from './mentions.ts';

const ADDRESS = /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/g;

export function RichText({ text, mentions }: { text: string; mentions?: Message['mentions'] }) {
  const me = useMe();
  const people = usePeople(mentions?.user_ids ?? []);
  const names = new Set(people.map(({ username }) => username.toLowerCase()));
  if (mentions?.everyone) names.add(EVERYONE);
  const isMine = (name: string) => name === EVERYONE || name === me?.username.toLowerCase();

  function withMentions(part: string): ComponentChildren {
    if (names.size === 0) return part;
    return split(part, MENTION, ([whole, found]) => {
      const name = nameIn(found!, names);
      if (name === undefined) return whole;
      const length = name.length + 1;
      return (
        <>
          <span class={`mention ${isMine(name) ? 'mention--me' : ''}`}>{whole.slice(0, length)}</span>
          {whole.slice(length)}
        </>
      );
    });
  }

  return (
    <p class="message__text" dir="auto">
      {split(
        text,
        ADDRESS,
        ([href]) => (
          <a href={href} target="_blank" rel="noopener noreferrer">
            {href}
          </a>
        ),
        withMentions,
      )}
    </p>
  );
}

/** A text with what a pattern finds in it replaced, and what is between shown by `plain`. */
function split(
  text: string,
  pattern: RegExp,
  replace: (match: RegExpExecArray) => ComponentChildren,
  plain: (part: string) => ComponentChildren = (part) => part,
): ComponentChildren[] {
  const parts: ComponentChildren[] = [];
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > at) parts.push(plain(text.slice(at, match.index)));
    parts.push(replace(match));
    at = match.index + match[0].length;
  }
  if (at < text.length) parts.push(plain(text.slice(at)));
  return parts;
}
