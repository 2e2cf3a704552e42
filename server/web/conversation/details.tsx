/** What can be set for a conversation, and who is in it. */
import type { Target } from 'letsapp-client';
import { useClient, useMe, useRights } from 'letsapp-client/react';
import { useState } from 'preact/hooks';
import { Confirm, Modal, ModalHead } from '../parts/modal.tsx';
import { attempt } from '../parts/notices.tsx';
import { Switch } from '../parts/switch.tsx';
import { useContacts } from '../people/contacts.tsx';
import { Finder } from '../people/finder.tsx';
import { nameOf, usePeople } from '../people/names.ts';
import { Person } from '../people/person.tsx';
import { go } from '../route.ts';
import { useConversation } from './current.ts';
import { GroupSettings } from './group-settings.tsx';
import { Invitations } from './invitations.tsx';

/** As good as for ever. */
const MUTED_UNTIL = '2100-01-01T00:00:00.000Z';

export function Details({ target, onClose }: { target: Target; onClose(): void }) {
  const client = useClient();
  const conversation = useConversation(target);
  const update = (change: object) =>
    attempt(() => client.call('conversation:update', { ...target, ...change } as never));
  return (
    <Modal label="Details" onClose={onClose}>
      <ModalHead title="Details" onClose={onClose} />
      {conversation && (
        <Switch
          label="Muted"
          isOn={Date.parse(conversation.muted_until ?? '') > Date.now()}
          onChange={(isOn) => update({ muted_until: isOn ? MUTED_UNTIL : null })}
        />
      )}
      {target.group_id === undefined ? (
        <PairDetails id={target.recipient_id} />
      ) : (
        <GroupDetails target={target} onClose={onClose} />
      )}
    </Modal>
  );
}

function PairDetails({ id }: { id: string }) {
  const client = useClient();
  const contact = useContacts().find(({ contact_id }) => contact_id === id);
  const isBlocked = contact?.status === 'blocked';
  return (
    <>
      {!contact && (
        <button
          type="button"
          class="button"
          onClick={() => attempt(() => client.call('contact:request', { user_id: id }))}
        >
          Add to contacts
        </button>
      )}
      <Switch
        label="Blocked"
        hint="Nothing passes between the two of you."
        isOn={isBlocked}
        onChange={() => attempt(() => client.call(isBlocked ? 'contact:unblock' : 'contact:block', { user_id: id }))}
      />
    </>
  );
}

function GroupDetails({ target, onClose }: { target: Target & { group_id: string }; onClose(): void }) {
  const client = useClient();
  const me = useMe()?._id ?? '';
  const { group_id } = target;
  const group = useConversation(target)?.group;
  const rights = useRights(target);
  const people = usePeople(group?.members ?? []);
  const [isLeaving, setLeaving] = useState(false);
  if (!group) return null;
  const isAdmin = rights.is_admin;

  async function leave(): Promise<void> {
    if (await attempt(() => client.call('group:leave', { group_id }))) {
      onClose();
      go('#/');
    }
  }

  return (
    <>
      {group.description && <p class="sheet__note">{group.description}</p>}
      <h3>Members</h3>
      <ul class="people" aria-label="Members">
        {people.map((person) => (
          <li key={person._id} class="person">
            <Person person={person} />
            {group.admins.includes(person._id) && <span class="person__status">Admin</span>}
            {isAdmin && person._id !== me && (
              <button
                type="button"
                class="button button--small"
                aria-label={`Remove ${nameOf(person)}`}
                onClick={() => attempt(() => client.call('group:remove_member', { group_id, user_id: person._id }))}
              >
                Remove
              </button>
            )}
          </li>
        ))}
      </ul>
      {rights.add_members && (
        <Finder>
          {(person) => (
            <div class="person">
              <Person person={person} />
              {!group.members.includes(person._id) && (
                <button
                  type="button"
                  class="button button--small"
                  onClick={() => attempt(() => client.call('group:add_members', { group_id, user_ids: [person._id] }))}
                >
                  Add
                </button>
              )}
            </div>
          )}
        </Finder>
      )}
      {rights.add_members && <Invitations groupId={group_id} />}
      {isAdmin && <GroupSettings group={group} />}
      <button type="button" class="button button--danger" onClick={() => setLeaving(true)}>
        Leave group
      </button>
      {isLeaving && (
        <Confirm question={`Leave ${group.name}?`} action="Leave" onConfirm={leave} onClose={() => setLeaving(false)} />
      )}
    </>
  );
}
