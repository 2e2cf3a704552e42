/** `letsapp-client/react`: the live values of a client as hooks. Nothing renders anew where nothing shown has changed. */
import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useCallback,
  useContext,
  useMemo,
  useSyncExternalStore,
} from 'react';
import type { Client, ConnectionState } from '../client.ts';
import type { Call, Conversation, Presence, Self, Target } from '../contract.ts';
import type { Live } from '../live/live.ts';
import type { Draft } from '../outbox/item.ts';
import type { Rights } from '../store/rights.ts';
import type { ChatMessage, ChatMessages } from '../views/chat-messages.ts';
import type { Thread } from '../views/thread.ts';

const Context = createContext<Client | undefined>(undefined);

/** Gives a client to the components inside. */
export function LetsAppProvider({ client, children }: { client: Client; children?: ReactNode }): ReactElement {
  return createElement(Context.Provider, { value: client }, children);
}

/** The client. @throws Error outside of a `LetsAppProvider` */
export function useClient(): Client {
  const client = useContext(Context);
  if (!client) throw new Error('there is no <LetsAppProvider> above');
  return client;
}

function useLive<T>({ get, subscribe }: Live<T>): T {
  return useSyncExternalStore(subscribe, get, get);
}

/** The state of the connection. */
export function useConnection(): ConnectionState {
  const client = useClient();
  const subscribe = useCallback((listener: () => void) => client.on('state', listener), [client]);
  const get = () => client.state;
  return useSyncExternalStore(subscribe, get, get);
}

export function useMe(): Self | undefined {
  return useLive(useClient().me);
}

/** Newest activity first. */
export function useConversations(): Conversation[] {
  return useLive(useClient().conversations);
}

/** A target is the same for as long as its id is: it may be written anew with each render. */
function useTarget({ recipient_id, group_id }: Target): Target {
  return useMemo(
    () => (group_id === undefined ? { recipient_id: recipient_id! } : { group_id }),
    [recipient_id, group_id],
  );
}

/** The messages of a conversation, and how to get older ones. */
export function useMessages(target: Target): ChatMessages & { loadOlder: () => Promise<void> } {
  const client = useClient();
  const same = useTarget(target);
  const shown = useLive(client.messages(same));
  const loadOlder = useCallback(() => client.loadOlder(same), [client, same]);
  return useMemo(() => ({ ...shown, loadOlder }), [shown, loadOlder]);
}

/** The thread that hangs on a message, and how to get older replies. */
export function useThread(message_id: string): Thread & { loadOlder: () => Promise<void> } {
  const client = useClient();
  const shown = useLive(client.thread(message_id));
  const loadOlder = useCallback(() => client.loadOlderReplies(message_id), [client, message_id]);
  return useMemo(() => ({ ...shown, loadOlder }), [shown, loadOlder]);
}

/** What the user may do in a conversation. */
export function useRights(target: Target): Rights {
  return useLive(useClient().rights(target));
}

/** The ids of those who are typing there. */
export function useTyping(target: Target): string[] {
  return useLive(useClient().typing(target));
}

export function usePresence(user_id: string): Presence | undefined {
  return useLive(useClient().presence(user_id));
}

/** Those that are not over. */
export function useCalls(): Call[] {
  return useLive(useClient().calls);
}

/** Sends to a target. */
export function useSend(target: Target): (message: Draft) => ChatMessage {
  const client = useClient();
  const same = useTarget(target);
  return useCallback((message) => client.send(same, message), [client, same]);
}
