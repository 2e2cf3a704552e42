/** A chat in sixty lines: the app of the React guide. */

import { type FormEvent, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { type Client, connect } from '../../shared/client/index.ts';
import {
  LetsAppProvider,
  useConnection,
  useConversations,
  useMe,
  useMessages,
  useSend,
  useTyping,
} from '../../shared/client/react/index.ts';

function Conversation({ client, peer }: { client: Client; peer: string }) {
  const target = { recipient_id: peer };
  const { messages, has_older, loadOlder } = useMessages(target);
  const typing = useTyping(target);
  const send = useSend(target);
  const me = useMe();
  const [text, setText] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send({ content: text });
    setText('');
  };
  return (
    <section>
      {has_older && (
        <button type="button" onClick={loadOlder}>
          Older
        </button>
      )}
      <ol>
        {messages.map(({ _id, sender_id, content, state }) => (
          <li key={_id}>
            {sender_id === me?._id ? 'me' : 'peer'}: {content} <small>{state}</small>
          </li>
        ))}
      </ol>
      <p>{typing.length > 0 && 'typing'}</p>
      <form onSubmit={submit}>
        <input
          aria-label="Message"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            client.setTyping(target, true);
          }}
        />
        <button type="submit">Send</button>
      </form>
    </section>
  );
}

/** How often each part was rendered. */
export const rendered = { me: 0 };

function Me() {
  rendered.me++;
  return <h2>{useMe()?.username}</h2>;
}

function App({ client, peer }: { client: Client; peer: string }) {
  const unread = useConversations().reduce((sum, { unread_count }) => sum + unread_count, 0);
  return (
    <main>
      <h1>{`${useConnection()}, ${unread} unread`}</h1>
      <Conversation client={client} peer={peer} />
    </main>
  );
}

/** Shows the chat of a user with a peer. */
export function start(token: string, peer: string): void {
  const client = connect({ url: location.origin, getToken: () => token });
  createRoot(document.body).render(
    <LetsAppProvider client={client}>
      <App client={client} peer={peer} />
      <Me />
    </LetsAppProvider>,
  );
}
