/** Contacts: who they are, who asks to be one, and finding more. */
import type { Contact, PublicUser } from 'letsapp-client';
import { useClient } from 'letsapp-client/react';
import { useSyncExternalStore } from 'preact/compat';
import { attempt } from '../parts/notices.tsx';
import { Sheet } from '../parts/sheet.tsx';
import { linkTo } from '../route.ts';
import { Finder } from './finder.tsx';
import { usePerson } from './names.ts';
import { Person } from './person.tsx';

export function useContacts(): Contact[] {
  const { contacts } = useClient();
  return useSyncExternalStore(contacts.subscribe, contacts.get);
}

export function Contacts() {
  const contacts = useContacts();
  const asking = contacts.filter(({ status, direction }) => status === 'pending' && direction === 'in');
  const asked = contacts.filter(({ status, direction }) => status === 'pending' && direction === 'out');
  const accepted = contacts.filter(({ status }) => status === 'accepted');
  const blocked = contacts.filter(({ status }) => status === 'blocked');
  return (
    <Sheet title="Contacts">
      <Finder>{(person) => <Stranger person={person} status={statusOf(contacts, person)} />}</Finder>
      <Section title="Requests" contacts={asking}>
        {(id) => (
          <>
            <Act command="contact:accept" id={id} label="Accept" isMain />
            <Act command="contact:reject" id={id} label="Decline" />
          </>
        )}
      </Section>
      <Section title="Contacts" contacts={accepted} hint="Nobody yet. Find people above.">
        {(id) => <Act command="contact:remove" id={id} label="Remove" />}
      </Section>
      <Section title="Waiting for an answer" contacts={asked}>
        {(id) => <Act command="contact:remove" id={id} label="Withdraw" />}
      </Section>
      <Section title="Blocked" contacts={blocked}>
        {(id) => <Act command="contact:unblock" id={id} label="Unblock" />}
      </Section>
    </Sheet>
  );
}

function statusOf(contacts: Contact[], { _id }: PublicUser): Contact['status'] | undefined {
  return contacts.find(({ contact_id }) => contact_id === _id)?.status;
}

const TOLD = { accepted: 'Contact', pending: 'Requested', blocked: 'Blocked' };

function Stranger({ person, status }: { person: PublicUser; status: Contact['status'] | undefined }) {
  return (
    <div class="person">
      <a class="person__link" href={linkTo({ recipient_id: person._id })}>
        <Person person={person} />
      </a>
      {status ? (
        <span class="person__status">{TOLD[status]}</span>
      ) : (
        <Act command="contact:request" id={person._id} label="Add" isMain />
      )}
    </div>
  );
}

function Section({
  title,
  contacts,
  hint,
  children,
}: {
  title: string;
  contacts: Contact[];
  hint?: string;
  children(id: string): preact.ComponentChildren;
}) {
  if (contacts.length === 0 && !hint) return null;
  return (
    <section class="section">
      <h2>{title}</h2>
      {contacts.length === 0 && <p class="sheet__note">{hint}</p>}
      <ul class="people" aria-label={title}>
        {contacts.map(({ contact_id }) => (
          <li key={contact_id}>
            <Known id={contact_id}>{children(contact_id)}</Known>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Known({ id, children }: { id: string; children: preact.ComponentChildren }) {
  const person = usePerson(id);
  return (
    <div class="person">
      {person && (
        <a class="person__link" href={linkTo({ recipient_id: id })}>
          <Person person={person} />
        </a>
      )}
      {children}
    </div>
  );
}

type ContactCommand = `contact:${'request' | 'accept' | 'reject' | 'remove' | 'unblock'}`;

function Act({
  command,
  id,
  label,
  isMain = false,
}: {
  command: ContactCommand;
  id: string;
  label: string;
  isMain?: boolean;
}) {
  const client = useClient();
  return (
    <button
      type="button"
      class={`button button--small ${isMain ? 'button--main' : ''}`}
      onClick={() => attempt(() => client.call(command, { user_id: id } as never))}
    >
      {label}
    </button>
  );
}
