/** Older messages, page by page. */
import type { Call } from '../commands.ts';
import type { Message, Target } from '../contract.ts';
import { isAside, keyOf } from '../store/state.ts';
import type { Store } from '../store/store.ts';

/** Messages of a page. */
const PAGE = 50;

export interface HistoryOptions {
  call: Call;
  store: Store;
  onChanged(): void;
}

export interface History {
  /** @throws ClientError */
  loadOlder(target: Target): Promise<void>;
  isLoading(target: Target): boolean;
}

export function createHistory({ call, store, onChanged }: HistoryOptions): History {
  const loading = new Map<string, Promise<void>>();

  /** @returns the page; none where there are no older messages */
  async function loadPage(target: Target): Promise<Message[]> {
    const [id, kept] = store.find(target) ?? [];
    if (kept && !kept.hasOlder) return [];
    const below = kept?.fromSeq;
    const { messages, has_more } = await call('message:history', {
      ...target,
      limit: PAGE,
      // With those of threads: what is kept has no gaps, so that replies and mentions can be counted.
      threads: true,
      ...(below === undefined ? {} : { before_seq: below }),
    });
    const conversationId = id ?? messages[0]?.conversation_id;
    if (conversationId !== undefined) store.apply({ older: messages, conversationId, below, hasOlder: has_more });
    return messages;
  }

  /** Until there is something to show. */
  async function load(target: Target): Promise<void> {
    let page: Message[];
    do page = await loadPage(target);
    while (page.length > 0 && page.every(isAside));
  }

  return {
    isLoading: (target) => loading.has(keyOf(target)),
    loadOlder(target) {
      const key = keyOf(target);
      const known = loading.get(key);
      if (known) return known;
      const run = load(target).finally(() => {
        loading.delete(key);
        onChanged();
      });
      loading.set(key, run);
      onChanged();
      return run;
    },
  };
}
