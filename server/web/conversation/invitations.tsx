/** Invitations to a group: links that lead in, and those who ask to be let in. For those who may add people. */
import type { CommandData } from 'letsapp-client';
import { useClient } from 'letsapp-client/react';
import { useEffect, useState } from 'preact/hooks';
import { Icon, IconButton } from '../parts/icon.tsx';
import { attempt, notify } from '../parts/notices.tsx';
import { Switch } from '../parts/switch.tsx';
import { Person } from '../people/person.tsx';
import { dayOf } from '../when.ts';

type Invite = CommandData<'group:invites'>['invites'][number];
type Request = CommandData<'group:requests'>['requests'][number];

/** A link is good for so long, in seconds. */
const WEEK_S = 7 * 86_400;

/** Servers that do not know their own address tell the code alone. */
const addressOf = ({ url, code }: Invite) => url ?? `${location.origin}/join/${code}`;

export function Invitations({ groupId }: { groupId: string }) {
  const client = useClient();
  const [invites, setInvites] = useState<Invite[]>();
  const [isAsked, setAsked] = useState(false);
  const load = () =>
    client.call('group:invites', { group_id: groupId }).then(
      (found) => setInvites(found.invites),
      () => {},
    );
  useEffect(() => void load(), [groupId]);

  async function invite(): Promise<void> {
    const made = await attempt(() =>
      client.call('group:invite', {
        group_id: groupId,
        expires_in_s: WEEK_S,
        ...(isAsked ? { approval: true as const } : {}),
      }),
    );
    if (!made) return;
    await copy(made.invite);
    await load();
  }

  async function revoke({ invite_id }: Invite): Promise<void> {
    await attempt(() => client.call('group:revoke_invite', { invite_id }));
    await load();
  }

  return (
    <>
      <h3>Invitations</h3>
      <Switch label="Ask before somebody joins by a new link" isOn={isAsked} onChange={setAsked} />
      <button type="button" class="button" onClick={invite}>
        <Icon name="link" /> New invitation link
      </button>
      <ul class="invites" aria-label="Invitations">
        {invites?.map((one) => (
          <li key={one.invite_id} class="invite">
            <span class="invite__text">
              <span class="invite__address">{addressOf(one)}</span> <span class="sheet__note">{inWords(one)}</span>
            </span>
            <button type="button" class="button button--small" onClick={() => copy(one)}>
              Copy
            </button>
            <IconButton icon="remove" label="Revoke" onClick={() => revoke(one)} />
          </li>
        ))}
      </ul>
      <Requests groupId={groupId} />
    </>
  );
}

async function copy(invite: Invite): Promise<void> {
  try {
    await navigator.clipboard.writeText(addressOf(invite));
    notify('The link is copied.');
  } catch {
    // Not allowed, or a page that was opened by http: the link is there to be read.
  }
}

function inWords({ uses, max_uses, expires_at, approval }: Invite): string {
  const used = `Used ${uses}${max_uses === undefined ? '' : ` of ${max_uses}`} times`;
  return [used, expires_at && `good until ${dayOf(expires_at)}`, approval && 'asks first'].filter(Boolean).join(', ');
}

function Requests({ groupId }: { groupId: string }) {
  const client = useClient();
  const [requests, setRequests] = useState<Request[]>([]);
  const load = () =>
    client.call('group:requests', { group_id: groupId }).then(
      (found) => setRequests(found.requests),
      () => {},
    );
  useEffect(() => {
    void load();
    return client.on('group:requested', ({ group_id }) => void (group_id === groupId && load()));
  }, [client, groupId]);

  async function decide(user_id: string, accept: boolean): Promise<void> {
    await attempt(() => client.call('group:decide', { group_id: groupId, user_id, accept }));
    await load();
  }

  if (requests.length === 0) return null;
  return (
    <>
      <h3>Want to join</h3>
      <ul class="people" aria-label="Want to join">
        {requests.map(({ user }) => (
          <li key={user._id} class="person">
            <Person person={user} />
            <button type="button" class="button button--small button--main" onClick={() => decide(user._id, true)}>
              Accept
            </button>
            <button type="button" class="button button--small" onClick={() => decide(user._id, false)}>
              Decline
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
