/** A thread as it is shown: the message that it hangs on, and its replies. */
import type { Threads } from '../activity/threads.ts';
import type { LiveOptions } from '../live/live.ts';
import { areSame } from '../live/live.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Store } from '../store/store.ts';
import { type ChatMessage, createChatMessages } from './chat-messages.ts';
import type { Optimistic } from './optimistic.ts';

export interface Thread {
  /** The message that the thread hangs on; undefined until it is known. */
  root: ChatMessage | undefined;
  /** The replies, ascending; those that wait to be sent come last. */
  messages: ChatMessage[];
  /** Whether there are older ones (`loadOlderReplies`). */
  has_older: boolean;
  loading: boolean;
  following: boolean;
  /** Of the replies of others, how many are above the user's mark in the thread. */
  unread_count: number;
  read_seq: number;
}

export interface ThreadOptions {
  store: Store;
  outbox: Pick<Outbox, 'items'>;
  /** The user's id, as far as the token tells it. */
  owner(): string;
  optimistic: Optimistic;
  activities: { threads: Pick<Threads, 'isLoading'> };
}

export function threadOf(
  { store, outbox, owner, optimistic, activities }: ThreadOptions,
  rootId: string,
): LiveOptions<Thread> {
  const make = createChatMessages();
  const keptOf = () => store.state().threads.get(rootId);
  const receiptsOf = () =>
    store.state().conversations.get(keptOf()?.conversationId ?? '')?.conversation?.receipts ?? [];
  return {
    inputs: () => [
      keptOf(),
      receiptsOf(),
      outbox.items(),
      store.state().me,
      optimistic.version(),
      activities.threads.isLoading(rootId),
    ],
    make() {
      const kept = keptOf();
      const from = {
        receipts: receiptsOf(),
        conversationId: kept?.conversationId,
        me: store.state().me,
        owner: owner(),
        show: optimistic.show,
      };
      const [root] = make({ ...from, messages: kept ? [kept.root] : [], isShown: () => true, items: [] });
      return {
        root,
        messages: make({
          ...from,
          messages: kept?.replies ?? [],
          isShown: ({ thread_id }) => thread_id === rootId,
          items: outbox.items(),
        }),
        has_older: kept?.hasOlder ?? false,
        loading: activities.threads.isLoading(rootId),
        following: kept?.following ?? false,
        unread_count: kept?.unreadCount ?? 0,
        read_seq: kept?.readSeq ?? 0,
      };
    },
    isSame: (one, other) => areSame(flat(one), flat(other)),
  };
}

const flat = ({ messages, ...others }: Thread): unknown[] => [...messages, ...Object.values(others)];
