/** The side: where everything begins, and the conversations, newest activity first. */
import type { Conversation } from 'letsapp-client';
import { useConnection, useConversations, useMe, usePresence, useTyping } from 'letsapp-client/react';
import { memo } from 'preact/compat';
import { Avatar } from '../parts/avatar.tsx';
import { Icon, type IconName } from '../parts/icon.tsx';
import { Mark } from '../parts/mark.tsx';
import { linkTo, type Route } from '../route.ts';
import { briefly } from '../when.ts';
import { lineOf, targetOf, titleOf } from './summary.ts';
import '../styles/sidebar.css';

const LINKS: { to: string; label: string; icon: IconName }[] = [
  { to: 'new-chat', label: 'New chat', icon: 'chat' },
  { to: 'new-group', label: 'New group', icon: 'group' },
  { to: 'search', label: 'Search', icon: 'search' },
  { to: 'activity', label: 'Activity', icon: 'bell' },
  { to: 'contacts', label: 'Contacts', icon: 'people' },
  { to: 'settings', label: 'Settings', icon: 'settings' },
];

export function Sidebar({ route }: { route: Route }) {
  return (
    <aside class="sidebar">
      <header class="sidebar__head">
        <Mark />
        <nav aria-label="App">
          {LINKS.map(({ to, label, icon }) => (
            <a
              key={to}
              class="icon-button"
              href={`#/${to}`}
              aria-label={label}
              title={label}
              aria-current={route.at === to ? 'page' : undefined}
            >
              <Icon name={icon} />
            </a>
          ))}
        </nav>
      </header>
      <Conversations route={route} />
    </aside>
  );
}

function Conversations({ route }: { route: Route }) {
  const conversations = useConversations();
  const state = useConnection();
  const open = route.at === 'conversation' ? (route.target.group_id ?? route.target.recipient_id) : undefined;
  const isLoading = conversations.length === 0 && (state === 'connecting' || state === 'syncing');
  return (
    <>
      <h2 class="unseen">Conversations</h2>
      {isLoading && <p class="sidebar__hint">Loading…</p>}
      {!isLoading && conversations.length === 0 && (
        <p class="sidebar__hint">
          No conversations yet. <a href="#/new-chat">Find somebody</a> to write to.
        </p>
      )}
      <ul class="conversations" aria-label="Conversations" aria-busy={isLoading}>
        {conversations.map((one) => (
          <li key={one.conversation_id}>
            <Item conversation={one} isOpen={open !== undefined && open === (one.group?._id ?? one.peer?._id)} />
          </li>
        ))}
      </ul>
    </>
  );
}

const Item = memo(function Item({ conversation, isOpen }: { conversation: Conversation; isOpen: boolean }) {
  const me = useMe()?._id;
  const { peer, group, last_message, unread_count, mention_count, muted_until, draft } = conversation;
  const title = titleOf(conversation);
  const target = targetOf(conversation);
  const isTyping = useTyping(target).length > 0;
  return (
    <a class="item" href={linkTo(target)} aria-current={isOpen ? 'page' : undefined}>
      {peer ? (
        <Peer id={peer._id} name={title} picture={peer.profile_picture} />
      ) : (
        <Avatar name={title} picture={group?.icon} />
      )}
      <span class="item__name">{title}</span>
      {last_message && <span class="item__time">{briefly(last_message.created_at)}</span>}
      <span class="item__line">
        {isTyping ? (
          <em>typing…</em>
        ) : draft && !isOpen ? (
          <>
            <em>Draft:</em> {draft.content}
          </>
        ) : last_message ? (
          lineOf(last_message, me)
        ) : (
          'Nothing written yet'
        )}
      </span>
      <span class="item__counts">
        {mention_count > 0 && (
          <span class="item__count item__count--mention">
            <span aria-hidden="true">@</span>
            <span class="unseen">
              {mention_count} {mention_count === 1 ? 'mention' : 'mentions'}
            </span>
          </span>
        )}{' '}
        {unread_count > 0 && (
          <span class={`item__count ${muted_until ? 'item__count--muted' : ''}`}>
            {unread_count}
            <span class="unseen"> unread</span>
          </span>
        )}
      </span>
    </a>
  );
});

function Peer({ id, name, picture }: { id: string; name: string; picture: string | null }) {
  const status = usePresence(id)?.status;
  return <Avatar name={name} picture={picture} isOnline={status !== undefined && status !== 'offline'} />;
}
