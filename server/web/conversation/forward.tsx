/** To whom a message is forwarded: one of the conversations. */
import type { ChatMessage } from 'letsapp-client';
import { useClient, useConversations } from 'letsapp-client/react';
import { useState } from 'preact/hooks';
import { targetOf, titleOf } from '../conversations/summary.ts';
import { Avatar } from '../parts/avatar.tsx';
import { Field } from '../parts/field.tsx';
import { Modal, ModalHead } from '../parts/modal.tsx';
import { go, linkTo } from '../route.ts';

export function Forward({ message, onClose }: { message: ChatMessage; onClose(): void }) {
  const client = useClient();
  const [query, setQuery] = useState('');
  const wanted = query.trim().toLocaleLowerCase();
  const found = useConversations().filter((one) => titleOf(one).toLocaleLowerCase().includes(wanted));
  return (
    <Modal label="Forward" onClose={onClose}>
      <ModalHead title="Forward to" onClose={onClose} />
      <Field
        label="Conversation"
        type="search"
        autoFocus
        value={query}
        onInput={({ currentTarget }) => setQuery(currentTarget.value)}
      />
      <ul class="people" aria-label="Conversations to forward to">
        {found.map((one) => (
          <li key={one.conversation_id}>
            <button
              type="button"
              class="person person--button"
              onClick={() => {
                const target = targetOf(one);
                client.forward(target, message._id);
                onClose();
                go(linkTo(target));
              }}
            >
              <Avatar name={titleOf(one)} picture={one.group?.icon ?? one.peer?.profile_picture} size={40} />
              <span class="person__name">{titleOf(one)}</span>
            </button>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="sheet__note">Nothing found.</p>}
    </Modal>
  );
}
