/** Who is in a group; admins say who is one, and who is in it no longer. */
import type { Group, PublicUser } from 'letsapp-client';
import { useClient, useMe } from 'letsapp-client/react';
import { useRef, useState } from 'preact/hooks';
import { IconButton } from '../parts/icon.tsx';
import { Menu } from '../parts/menu.tsx';
import { Confirm } from '../parts/modal.tsx';
import { attempt } from '../parts/notices.tsx';
import { nameOf, usePeople } from '../people/names.ts';
import { Person } from '../people/person.tsx';

/** So many are shown at first, and more with each step: who they are is asked for one by one. */
const STEP = 30;

export function Members({ group, isAdmin }: { group: Group; isAdmin: boolean }) {
  const me = useMe()?._id;
  const [most, setMost] = useState(STEP);
  const { members, admins } = group;
  const sorted = [...members.filter((id) => admins.includes(id)), ...members.filter((id) => !admins.includes(id))];
  const people = usePeople(sorted.slice(0, most));
  return (
    <>
      <h3>{members.length === 1 ? '1 member' : `${members.length} members`}</h3>
      <ul class="people" aria-label="Members">
        {people.map((person) => (
          <li key={person._id} class="person">
            <Person person={person} />
            <span class="person__status">{roleOf(person, group, me)}</span>
            {isAdmin && <Manage person={person} group={group} isMe={person._id === me} />}
          </li>
        ))}
      </ul>
      {members.length > most && (
        <button type="button" class="button button--small" onClick={() => setMost(most + STEP)}>
          More members
        </button>
      )}
    </>
  );
}

function roleOf({ _id }: PublicUser, { admins }: Group, me: string | undefined): string {
  return [_id === me && 'You', admins.includes(_id) && 'Admin'].filter(Boolean).join(', ');
}

/** What an admin can do about a member. */
function Manage({ person, group, isMe }: { person: PublicUser; group: Group; isMe: boolean }) {
  const client = useClient();
  const button = useRef<HTMLSpanElement>(null);
  const [isOpen, setOpen] = useState(false);
  const [isRemoving, setRemoving] = useState(false);
  const isAdmin = group.admins.includes(person._id);
  const whom = { group_id: group._id, user_id: person._id };
  const setAdmin = (is_admin: boolean) => attempt(() => client.call('group:set_admin', { ...whom, is_admin }));
  if (isMe && !isAdmin) return null;
  return (
    <span ref={button}>
      <IconButton icon="more" label={`Manage ${nameOf(person)}`} onClick={() => setOpen(true)} />
      {isOpen && (
        <Menu
          label={`Manage ${nameOf(person)}`}
          anchor={button}
          onClose={() => setOpen(false)}
          items={[
            isAdmin
              ? {
                  icon: 'close',
                  label: isMe ? 'Stop being an admin' : 'Remove as admin',
                  act: () => void setAdmin(false),
                }
              : { icon: 'check', label: 'Make admin', act: () => void setAdmin(true) },
            ...(isMe
              ? []
              : [{ icon: 'remove' as const, label: 'Remove from the group', act: () => setRemoving(true) }]),
          ]}
        />
      )}
      {isRemoving && (
        <Confirm
          question={`Remove ${nameOf(person)} from ${group.name}?`}
          action="Remove"
          onConfirm={() => void attempt(() => client.call('group:remove_member', whom))}
          onClose={() => setRemoving(false)}
        />
      )}
    </span>
  );
}
