/** The app of who is signed in: conversations at the side, and beside them what the address names. */
import { useClient, useConnection } from 'letsapp-client/react';
import { useEffect } from 'preact/hooks';
import { Activity } from './activity/activity.tsx';
import { CallCentre } from './calls/call-centre.tsx';
import { Conversation } from './conversation/conversation.tsx';
import { Sidebar } from './conversations/sidebar.tsx';
import { Join } from './join.tsx';
import { Mark } from './parts/mark.tsx';
import { useMediaQuery } from './parts/media-query.ts';
import { NoticeBoard } from './parts/notices.tsx';
import { Contacts } from './people/contacts.tsx';
import { NewChat } from './people/new-chat.tsx';
import { NewGroup } from './people/new-group.tsx';
import { type Route, useRoute } from './route.ts';
import { Search } from './search.tsx';
import { Settings } from './settings/settings.tsx';
import { useTitle } from './title.ts';
import './styles/workspace.css';

/** Where one thing is shown at a time: conversations, or what the address names. */
const NARROW = '(max-width: 719px)';

export function Workspace({ onLogOut }: { onLogOut(): void }) {
  const route = useRoute();
  const isNarrow = useMediaQuery(NARROW);
  useTitle();
  useShortcuts();
  return (
    <CallCentre>
      <div class="workspace">
        <Connection />
        {(!isNarrow || route.at === 'home') && <Sidebar route={route} />}
        <Page route={route} onLogOut={onLogOut} />
      </div>
      <NoticeBoard />
    </CallCentre>
  );
}

function Page({ route, onLogOut }: { route: Route; onLogOut(): void }) {
  switch (route.at) {
    case 'conversation':
      return (
        <Conversation
          key={route.target.group_id ?? route.target.recipient_id}
          target={route.target}
          place={route.place}
        />
      );
    case 'new-chat':
      return <NewChat />;
    case 'new-group':
      return <NewGroup />;
    case 'contacts':
      return <Contacts />;
    case 'search':
      return <Search />;
    case 'activity':
      return <Activity />;
    case 'join':
      return <Join key={route.code} code={route.code} />;
    case 'settings':
      return <Settings onLogOut={onLogOut} />;
    default:
      return (
        <main class="empty on-desk">
          <div>
            <Mark />
            <p>Choose a conversation, or start a new one.</p>
          </div>
        </main>
      );
  }
}

/** Says so while there is no connection. */
function Connection() {
  const state = useConnection();
  const client = useClient();
  const isLost = state === 'offline' || (state === 'connecting' && client.me.get() !== undefined);
  return (
    <div class="connection" role="status">
      {isLost && <span>Offline. Reconnecting… What you write is sent as soon as you are back.</span>}
    </div>
  );
}

/** Ctrl+K searches. */
function useShortcuts(): void {
  useEffect(() => {
    function onKey(event: KeyboardEvent): void {
      if ((event.ctrlKey || event.metaKey) && event.key === 'k') {
        event.preventDefault();
        location.hash = '#/search';
      }
    }
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}
