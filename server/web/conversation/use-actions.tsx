/** Carries out what is done with messages, and shows the dialogs that some of it needs. */
import type { ChatMessage, Target } from 'letsapp-client';
import { useClient, useRights } from 'letsapp-client/react';
import type { ComponentChildren } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { attempt, notify } from '../parts/notices.tsx';
import { peopleIn } from '../people/names.ts';
import type { MessageActions } from './actions.ts';
import { Forward } from './forward.tsx';
import { mentionsIn } from './mentions.ts';
import { Revisions } from './revisions.tsx';

type Dialog = { kind: 'forward' | 'revisions'; message: ChatMessage };

/**
 * @param reply told the message that is to be answered
 * @param openThread told the message whose thread is to be shown
 */
export function useActions(
  target: Target,
  reply: MessageActions['reply'],
  openThread: MessageActions['openThread'],
): { actions: MessageActions; dialog: ComponentChildren } {
  const client = useClient();
  const rights = useRights(target);
  const [dialog, setDialog] = useState<Dialog>();
  const close = () => setDialog(undefined);

  const actions = useMemo<MessageActions>(
    () => ({
      rights,
      reply,
      edit(one, content) {
        const mentions = mentionsIn(content, peopleIn(client, target), rights.mention_everyone) ?? {};
        const isOther = one.mentions !== undefined || Object.keys(mentions).length > 0;
        return attempt(() => client.edit(one._id, { content, ...(isOther ? { mentions } : {}) }));
      },
      remove: (one) => attempt(() => client.remove(one._id)),
      react: (one, emoji, remove) => attempt(() => client.react(one._id, emoji, { remove })),
      openThread,
      forward: (message) => setDialog({ kind: 'forward', message }),
      pin: (one, isPinned) => attempt(() => client.pin(one._id, isPinned)),
      async save(one) {
        if (await attempt(() => client.save(one._id))) notify('Kept under Activity.');
      },
      showRevisions: (message) => setDialog({ kind: 'revisions', message }),
      retry: (one) => client.retry(one._id),
      discard: (one) => client.discard(one._id),
    }),
    [client, rights, reply, openThread, target.group_id, target.recipient_id],
  );

  return {
    actions,
    dialog:
      dialog?.kind === 'forward' ? (
        <Forward message={dialog.message} onClose={close} />
      ) : dialog ? (
        <Revisions message={dialog.message} onClose={close} />
      ) : null,
  };
}
