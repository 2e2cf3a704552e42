import type { PublicUser } from 'letsapp-client';
import { Avatar } from '../parts/avatar.tsx';
import { nameOf } from './names.ts';

/** A person in a list. */
export function Person({ person }: { person: PublicUser }) {
  const name = nameOf(person);
  return (
    <>
      <Avatar name={name} picture={person.profile_picture} size={40} />
      <span class="person__name">{name}</span>{' '}
      {name !== person.username && <span class="person__username">@{person.username}</span>}
    </>
  );
}
