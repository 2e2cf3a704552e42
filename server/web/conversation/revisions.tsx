/** What an edited message said before. */
import type { ChatMessage, CommandData } from 'letsapp-client';
import { useClient } from 'letsapp-client/react';
import { useEffect, useState } from 'preact/hooks';
import { Modal, ModalHead } from '../parts/modal.tsx';
import { attempt } from '../parts/notices.tsx';
import { dayOf, timeOf } from '../when.ts';

type Revision = CommandData<'message:revisions'>['revisions'][number];

export function Revisions({ message, onClose }: { message: ChatMessage; onClose(): void }) {
  const client = useClient();
  const [revisions, setRevisions] = useState<Revision[]>();
  useEffect(() => {
    void attempt(() => client.call('message:revisions', { message_id: message._id })).then((found) =>
      setRevisions(found?.revisions ?? []),
    );
  }, [client, message._id]);
  return (
    <Modal label="Earlier texts" onClose={onClose}>
      <ModalHead title="Earlier texts" onClose={onClose} />
      {!revisions && <p class="sheet__note">Loading…</p>}
      {revisions?.length === 0 && <p class="sheet__note">None are kept.</p>}
      <ol class="revisions">
        {revisions?.map(({ content, at }) => (
          <li key={at}>
            <time dateTime={at}>
              {dayOf(at)}, {timeOf(at)}
            </time>
            <p class="message__text" dir="auto">
              {content}
            </p>
          </li>
        ))}
      </ol>
    </Modal>
  );
}
