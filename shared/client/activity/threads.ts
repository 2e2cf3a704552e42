/** Threads that somebody looks at: asked for once with each connection, older replies page by page, and marks of what was read. */
import type { Call } from '../commands.ts';
import { retryAfter, toClientError } from '../errors.ts';
import type { Store } from '../store/store.ts';

/** Replies of a page. */
const PAGE = 50;

export interface ThreadsOptions {
  call: Call;
  isReady(): boolean;
  store: Store;
  /** Whether something is loading is another now. */
  onChanged(): void;
}

export interface Threads {
  /** Somebody looks at a thread. */
  look(rootId: string): void;
  /** Somebody goes on looking at it, or no longer. */
  watch(rootId: string, isWatched: boolean): void;
  isLoading(rootId: string): boolean;
  /** @throws ClientError */
  loadOlder(rootId: string): Promise<void>;
  /** The user has read all that is there. */
  read(rootId: string): void;
  /** There is a new connection: what is looked at may have changed. */
  flush(): void;
}

export function createThreads({ call, isReady, store, onChanged }: ThreadsOptions): Threads {
  /** Those asked for since the connection is there. */
  const asked = new Set<string>();
  /** Those that somebody goes on looking at, or has looked at before there was a connection. */
  const wanted = new Set<string>();
  const loading = new Map<string, Promise<unknown>>();
  /** The `seq` read up to, by root. */
  const toRead = new Map<string, number>();

  function load(rootId: string, below: number | undefined): Promise<unknown> {
    const known = loading.get(rootId);
    if (known) return known;
    const page = call('message:thread', {
      message_id: rootId,
      limit: PAGE,
      ...(below === undefined ? {} : { before_seq: below }),
    });
    const run = page.finally(() => {
      loading.delete(rootId);
      onChanged();
    });
    loading.set(rootId, run);
    onChanged();
    return run;
  }

  function ask(rootId: string): void {
    if (asked.has(rootId) || !isReady()) return;
    asked.add(rootId);
    // What was refused is asked for again with the next connection.
    load(rootId, undefined).catch(() => {});
  }

  async function tell(rootId: string, upTo: number): Promise<void> {
    if (!isReady()) return;
    try {
      await call('thread:read', { message_id: rootId, up_to_seq: upTo });
    } catch (error) {
      const wait = retryAfter(error);
      if (wait !== undefined) setTimeout(() => toRead.get(rootId) === upTo && void tell(rootId, upTo), wait);
      if (wait !== undefined || toClientError(error).code === 'unavailable') return;
    }
    if (toRead.get(rootId) === upTo) toRead.delete(rootId);
  }

  return {
    look(rootId) {
      if (!isReady()) wanted.add(rootId);
      ask(rootId);
    },
    watch(rootId, isWatched) {
      if (isWatched) wanted.add(rootId);
      else wanted.delete(rootId);
    },
    isLoading: (rootId) => loading.has(rootId),
    async loadOlder(rootId) {
      const kept = store.state().threads.get(rootId);
      if (kept && !kept.hasOlder) return;
      await load(rootId, kept?.fromSeq);
    },
    read(rootId) {
      const kept = store.state().threads.get(rootId);
      const last = kept?.replies.at(-1)?.seq;
      if (!kept || !last || last <= kept.readSeq) return;
      toRead.set(rootId, last);
      store.apply({ threadRead: rootId, seq: last });
      void tell(rootId, last);
    },
    flush() {
      asked.clear();
      for (const [rootId, upTo] of toRead) void tell(rootId, upTo);
      for (const rootId of wanted) ask(rootId);
    },
  };
}
