/** What is pinned in a conversation: the newest pin below its head, and all of them in a list. */
import type { ChatMessage, Message, Target } from 'letsapp-client';
import { useClient, useConnection, useMe } from 'letsapp-client/react';
import { useEffect, useState } from 'preact/hooks';
import { Hit } from '../conversations/hit.tsx';
import { lineOf } from '../conversations/summary.ts';
import { Icon } from '../parts/icon.tsx';
import { Modal, ModalHead } from '../parts/modal.tsx';

export function Pinned({ target, messages }: { target: Target; messages: ChatMessage[] }) {
  const client = useClient();
  const me = useMe()?._id;
  const isReady = useConnection() === 'ready';
  const [pinned, setPinned] = useState<Message[]>([]);
  const [isOpen, setOpen] = useState(false);
  // Pins and what they say are told with the messages.
  const told = messages.flatMap((one) => (one.pinned ? `${one._id} ${one.rev}` : [])).join();

  useEffect(() => {
    if (!isReady) return;
    client.call('message:pinned', { ...target, limit: 100 }).then(
      (found) => setPinned(found.messages),
      // Nothing was written there yet.
      () => {},
    );
  }, [client, isReady, told]);

  const [newest] = pinned;
  if (!newest) return null;
  return (
    <>
      <button type="button" class="pinned" onClick={() => setOpen(true)}>
        <Icon name="pin" size={18} />
        <span class="pinned__label">{pinned.length === 1 ? 'Pinned' : `${pinned.length} pinned`}</span>{' '}
        <span class="pinned__text">{lineOf(newest, me)}</span>
      </button>
      {isOpen && (
        <Modal label="Pinned messages" onClose={() => setOpen(false)}>
          <ModalHead title="Pinned messages" onClose={() => setOpen(false)} />
          <ul class="results" aria-label="Pinned messages">
            {pinned.map((message) => (
              <li key={message._id}>
                <Hit message={message} onGo={() => setOpen(false)} />
              </li>
            ))}
          </ul>
        </Modal>
      )}
    </>
  );
}
