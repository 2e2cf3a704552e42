/** A message that was found: who wrote it, where and when; it leads to its place. */
import type { Message } from 'letsapp-client';
import { useConversations, useMe } from 'letsapp-client/react';
import { nameOf, usePerson } from '../people/names.ts';
import { linkTo } from '../route.ts';
import { briefly } from '../when.ts';
import { placeOf, textOf, titleOf } from './summary.ts';

export function Hit({ message, note, onGo }: { message: Message; note?: string; onGo?(): void }) {
  const me = useMe()?._id;
  const sender = usePerson(message.sender_id);
  const conversation = useConversations().find((one) => one.conversation_id === message.conversation_id);
  const { target, place } = placeOf(message, me);
  return (
    <a class="result" href={linkTo(target, place)} onClick={onGo}>
      <span class="result__where">
        {message.sender_id === me ? 'You' : sender && nameOf(sender)}
        {conversation?.group && ` in ${titleOf(conversation)}`}
      </span>{' '}
      <span class="result__time">{briefly(message.created_at)}</span>{' '}
      <span class="result__text">{textOf(message)}</span>
      {note && <span class="result__note"> {note}</span>}
    </a>
  );
}
