/** Where an invitation leads: what group it is, and joining it. */
import type { CommandData } from 'letsapp-client';
import { ClientError } from 'letsapp-client';
import { useClient, useConnection, useConversations } from 'letsapp-client/react';
import { useEffect, useState } from 'preact/hooks';
import { Avatar } from './parts/avatar.tsx';
import { attempt } from './parts/notices.tsx';
import { Sheet } from './parts/sheet.tsx';
import { go, linkTo } from './route.ts';

type Preview = CommandData<'group:preview'>['group'];

export function Join({ code }: { code: string }) {
  const client = useClient();
  const isReady = useConnection() === 'ready';
  const [group, setGroup] = useState<Preview>();
  const [note, setNote] = useState<string>();
  const [isBusy, setBusy] = useState(false);

  useEffect(() => {
    if (!isReady) return;
    client.call('group:preview', { code }).then(
      (found) => setGroup(found.group),
      (error) => setNote(inWords(error)),
    );
  }, [client, code, isReady]);

  // Who is in it, or has just been let in, is led there.
  const conversations = useConversations();
  const isMember = group !== undefined && conversations.some((one) => one.group?._id === group._id);
  useEffect(() => {
    if (isMember) go(linkTo({ group_id: group._id }));
  }, [isMember]);

  async function join(): Promise<void> {
    setBusy(true);
    const answer = await attempt(() => client.call('group:join', { code }));
    setBusy(false);
    if (answer && 'group' in answer) go(linkTo({ group_id: answer.group._id }));
    else if (answer) setNote('Asked. You are in as soon as somebody of the group agrees.');
  }

  return (
    <Sheet title="Invitation">
      {!group && !note && <p class="sheet__note">Loading…</p>}
      {group && (
        <div class="invitation">
          <Avatar name={group.name} size={72} />
          <h2>{group.name}</h2>
          {group.description && <p>{group.description}</p>}
          <p class="sheet__note">
            {group.member_count} {group.member_count === 1 ? 'member' : 'members'}
          </p>
          {!note && (
            <button type="button" class="button button--main" disabled={isBusy} onClick={join}>
              Join group
            </button>
          )}
        </div>
      )}
      <p role="status">{note}</p>
    </Sheet>
  );
}

function inWords(error: unknown): string {
  if (error instanceof ClientError && error.code === 'rate_limited') return 'Too many attempts. Wait a moment.';
  if (error instanceof ClientError && error.code === 'unavailable') return 'No connection to the server.';
  return 'This invitation is no longer good.';
}
