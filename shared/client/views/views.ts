/** The live values of a client. */
import type { Activities } from '../activity/activities.ts';
import type { Client } from '../client.ts';
import type { Conversation, Target } from '../contract.ts';
import { areSame, type Live, type LiveHub, type LiveOptions } from '../live/live.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { isOver } from '../store/calls.ts';
import { rightsOf } from '../store/rights.ts';
import { isAside, type Kept, keyOf } from '../store/state.ts';
import type { Store } from '../store/store.ts';
import { type ChatMessages, createChatMessages } from './chat-messages.ts';
import type { History } from './history.ts';
import type { Optimistic } from './optimistic.ts';
import { threadOf } from './thread.ts';

/** How many messages of a conversation that nobody looks at stay in memory. */
const UNWATCHED_MESSAGES = 500;
/** Somebody who looked at them so long ago, in milliseconds, does no longer. */
const LOOKED_MS = 30_000;

export interface ViewsOptions {
  hub: LiveHub;
  store: Store;
  outbox: Pick<Outbox, 'items'>;
  /** The user's id, as far as the token tells it. */
  owner(): string;
  optimistic: Optimistic;
  activities: Pick<Activities, 'typing' | 'presence' | 'contacts' | 'threads'>;
  /** Whether a conversation that is not there may still come. */
  isComing(): boolean;
  history: Pick<History, 'isLoading'>;
}

export type Views = Pick<
  Client,
  'me' | 'conversations' | 'contacts' | 'calls' | 'messages' | 'thread' | 'rights' | 'typing' | 'presence'
> & {
  /** Lets go of messages of a conversation that nobody looks at. */
  trim(conversationId: string): void;
};

export function createViews(options: ViewsOptions): Views {
  const { hub, store } = options;
  const { typing, presence, contacts } = options.activities;
  const state = store.state;
  /** Who looks at the messages of a target, and when somebody last did. */
  const looks = new Map<string, { isWatched: boolean; at: number }>();
  const messages = byKey((key: string, target: Target) =>
    hub.live({
      ...messagesOf(options, target),
      onLook: () => looks.set(key, { isWatched: looks.get(key)?.isWatched ?? false, at: Date.now() }),
      onWatched(isWatched) {
        looks.set(key, { isWatched, at: 0 });
        const id = store.find(target)?.[0];
        if (!isWatched && id !== undefined) trim(id);
      },
    }),
  );
  const typists = byKey((_key, target: Target) =>
    hub.live<string[]>({
      inputs: () => [typing.in(store.find(target)?.[0])],
      make: () => typing.in(store.find(target)?.[0]) as string[],
    }),
  );
  const threads = byKey((_key, { message_id }: { message_id: string }) =>
    hub.live({
      ...threadOf(options, message_id),
      onLook: () => options.activities.threads.look(message_id),
      onWatched: (isWatched) => options.activities.threads.watch(message_id, isWatched),
    }),
  );
  const rights = byKey((_key, target: Target) =>
    hub.live({
      inputs: () => [store.find(target)?.[1], state().me],
      make: () => rightsOf(store.find(target)?.[1], state().me?._id),
      isSame: (one, other) => areSame(Object.entries(one).flat(), Object.entries(other).flat()),
    }),
  );
  const presences = byKey((_key, { user_id }: { user_id: string }) =>
    hub.live({
      inputs: () => [state().presences.get(user_id)],
      make: () => state().presences.get(user_id),
      onLook: () => presence.look(user_id),
    }),
  );

  function trim(id: string): void {
    const kept = state().conversations.get(id);
    if (!kept || kept.messages.length <= UNWATCHED_MESSAGES) return;
    const { isWatched, at } = looks.get(keyOf(kept.target)) ?? { isWatched: false, at: 0 };
    if (!isWatched && Date.now() - at > LOOKED_MS) store.apply({ trim: id, most: UNWATCHED_MESSAGES });
  }

  return {
    me: hub.live({ inputs: () => [state().me], make: () => state().me }),
    conversations: hub.live({
      inputs: () => [state().conversations],
      make: () => listOf(state().conversations),
      isSame: areSame,
    }),
    contacts: hub.live({
      inputs: () => [state().contacts],
      make: () => [...state().contacts.values()],
      onLook: contacts.look,
    }),
    calls: hub.live({
      inputs: () => [state().calls],
      make: () => [...state().calls.values()].filter((call) => !isOver(call)),
      isSame: areSame,
    }),
    messages: (target) => messages(keyOf(target), target),
    thread: (message_id) => threads(message_id, { message_id }),
    rights: (target) => rights(keyOf(target), target),
    typing: (target) => typists(keyOf(target), target),
    presence: (user_id) => presences(user_id, { user_id }),
    trim,
  };
}

/** Makes a value once for each key. */
function byKey<A, T>(make: (key: string, argument: A) => Live<T>): (key: string, argument: A) => Live<T> {
  const made = new Map<string, Live<T>>();
  return (key, argument) => {
    const known = made.get(key) ?? make(key, argument);
    made.set(key, known);
    return known;
  };
}

/** Those that the server has told, newest activity first. */
function listOf(conversations: ReadonlyMap<string, Kept>): Conversation[] {
  return [...conversations.values()]
    .flatMap(({ conversation }) => (conversation ? [conversation] : []))
    .sort((one, other) =>
      one.updated_at === other.updated_at
        ? one.conversation_id.localeCompare(other.conversation_id)
        : one.updated_at < other.updated_at
          ? 1
          : -1,
    );
}

function messagesOf(
  { store, outbox, owner, optimistic, isComing, history }: ViewsOptions,
  target: Target,
): LiveOptions<ChatMessages> {
  const make = createChatMessages();
  const key = keyOf(target);
  const keptOf = () => store.find(target)?.[1];
  return {
    inputs: () => [
      keptOf(),
      outbox.items(),
      store.state().me,
      optimistic.version(),
      isComing(),
      history.isLoading(target),
    ],
    make() {
      const kept = keptOf();
      const waiting = outbox.items().filter((item) => keyOf(item.target) === key);
      const { me } = store.state();
      return {
        messages: make({
          messages: kept?.messages ?? [],
          receipts: kept?.conversation?.receipts ?? [],
          conversationId: kept?.conversation?.conversation_id,
          isShown: (message) => !isAside(message),
          items: waiting,
          me,
          owner: owner(),
          show: optimistic.show,
        }),
        has_older: kept ? kept.hasOlder : isComing(),
        loading: history.isLoading(target) || (!kept && isComing()),
      };
    },
    isSame: (one, other) =>
      one.has_older === other.has_older && one.loading === other.loading && areSame(one.messages, other.messages),
  };
}
