/** Who a conversation is with, and calling them. */
import type { Target } from 'letsapp-client';
import { usePresence, useTyping } from 'letsapp-client/react';
import { useState } from 'preact/hooks';
import { useCallCentre } from '../calls/call-centre.tsx';
import { titleOf } from '../conversations/summary.ts';
import { Avatar } from '../parts/avatar.tsx';
import { IconButton } from '../parts/icon.tsx';
import { useContacts } from '../people/contacts.tsx';
import { nameOf, usePeople, usePerson } from '../people/names.ts';
import { go } from '../route.ts';
import { briefly } from '../when.ts';
import { useConversation } from './current.ts';
import { Details } from './details.tsx';

export function Header({ target }: { target: Target }) {
  const calls = useCallCentre();
  const [isOpen, setOpen] = useState(false);
  return (
    <header class="conversation__head">
      <span class="on-phone">
        <IconButton icon="back" label="Back" onClick={() => go('#/')} />
      </span>
      {target.group_id === undefined ? <Peer id={target.recipient_id} /> : <Group target={target} />}
      <IconButton icon="phone" label="Voice call" onClick={() => calls.start(target, 'voice')} />
      <IconButton icon="video" label="Video call" onClick={() => calls.start(target, 'video')} />
      <IconButton icon="settings" label="Details" onClick={() => setOpen(true)} />
      {isOpen && <Details target={target} onClose={() => setOpen(false)} />}
    </header>
  );
}

function Peer({ id }: { id: string }) {
  const person = usePerson(id);
  const presence = usePresence(id);
  const isTyping = useTyping({ recipient_id: id }).length > 0;
  const isContact = useContacts().some((one) => one.contact_id === id && one.status === 'accepted');
  const isOnline = presence !== undefined && presence.status !== 'offline';
  const name = person ? nameOf(person) : '…';
  return (
    <>
      <Avatar name={name} picture={person?.profile_picture} isOnline={isOnline} size={40} />
      <div class="conversation__who">
        <h1>{name}</h1>
        <p aria-live="polite">{isTyping ? `${name} is typing…` : isContact && presence && told(presence)}</p>
      </div>
    </>
  );
}

const WORDS = { online: 'Online', away: 'Away', busy: 'Busy', offline: 'Offline' };

function told({
  status,
  custom_status,
  last_active,
}: {
  status: keyof typeof WORDS;
  custom_status?: string;
  last_active?: string;
}): string {
  if (status !== 'offline') return custom_status ? `${WORDS[status]}, ${custom_status}` : WORDS[status];
  return last_active ? `Last seen ${briefly(last_active)}` : '';
}

function Group({ target }: { target: Target & { group_id: string } }) {
  const conversation = useConversation(target);
  const typing = usePeople(useTyping(target)).map(nameOf);
  const count = conversation?.group?.members.length ?? 0;
  const name = conversation ? titleOf(conversation) : '…';
  return (
    <>
      <Avatar name={name} picture={conversation?.group?.icon} size={40} />
      <div class="conversation__who">
        <h1>{name}</h1>
        <p aria-live="polite">
          {typing.length > 0
            ? `${typing.join(', ')} ${typing.length > 1 ? 'are' : 'is'} typing…`
            : count > 0 && `${count} ${count === 1 ? 'member' : 'members'}`}
        </p>
      </div>
    </>
  );
}
