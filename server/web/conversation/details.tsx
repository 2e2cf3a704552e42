/** What can be set for a conversation, and who is in it. */
import type { Group, PublicUser, Target } from 'letsapp-client';
import { useClient, useMe, useRights } from 'letsapp-client/react';
import { useState } from 'preact/hooks';
import { Confirm, Modal, ModalHead } from '../parts/modal.tsx';
import { attempt } from '../parts/notices.tsx';
import { Switch } from '../parts/switch.tsx';
import { useContacts } from '../people/contacts.tsx';
import { Finder } from '../people/finder.tsx';
import { Person } from '../people/person.tsx';
import { go } from '../route.ts';
import { useConversation } from './current.ts';
import { GroupInfo } from './group-info.tsx';
import { GroupSettings } from './group-settings.tsx';
import { Invitations } from './invitations.tsx';
import { Members } from './members.tsx';

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
  const { group_id } = target;
  const group = useConversation(target)?.group;
  const rights = useRights(target);
  if (!group) return null;
  return (
    <>
      <GroupInfo group={group} mayEdit={rights.edit_info} />
      <Members group={group} isAdmin={rights.is_admin} />
      {rights.add_members && <AddMembers group={group} />}
      {rights.add_members && <Invitations groupId={group_id} />}
      {rights.is_admin && <GroupSettings group={group} />}
      <Ending group={group} onOver={onClose} />
    </>
  );
}

function AddMembers({ group: { _id, members } }: { group: Group }) {
  const client = useClient();
  const add = ({ _id: id }: PublicUser) =>
    attempt(() => client.call('group:add_members', { group_id: _id, user_ids: [id] }));
  return (
    <Finder autoFocus={false}>
      {(person) => (
        <div class="person">
          <Person person={person} />
          {members.includes(person._id) ? (
            <span class="person__status">Member</span>
          ) : (
            <button type="button" class="button button--small" onClick={() => add(person)}>
              Add
            </button>
          )}
        </div>
      )}
    </Finder>
  );
}

/** Leaving; who made the group can end it for all. */
function Ending({ group, onOver }: { group: Group; onOver(): void }) {
  const client = useClient();
  const me = useMe()?._id;
  const [asked, setAsked] = useState<'leave' | 'delete'>();

  async function end(command: 'group:leave' | 'group:delete'): Promise<void> {
    if (!(await attempt(() => client.call(command, { group_id: group._id })))) return;
    onOver();
    go('#/');
  }

  return (
    <div class="endings">
      <button type="button" class="button button--danger" onClick={() => setAsked('leave')}>
        Leave group
      </button>
      {group.creator_id === me && (
        <button type="button" class="button button--danger" onClick={() => setAsked('delete')}>
          Delete group
        </button>
      )}
      {asked && (
        <Confirm
          question={asked === 'leave' ? `Leave ${group.name}?` : `Delete ${group.name} for all of its members?`}
          action={asked === 'leave' ? 'Leave' : 'Delete'}
          onConfirm={() => void end(`group:${asked}`)}
          onClose={() => setAsked(undefined)}
        />
      )}
    </div>
  );
}
