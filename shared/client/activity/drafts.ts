/** Drafts that travel between the user's devices: told once the typing pauses, the last one of each conversation. */
import type { Call } from '../commands.ts';
import type { Target } from '../contract.ts';
import { retryAfter, toClientError } from '../errors.ts';
import { keyOf } from '../store/state.ts';
import type { Store } from '../store/store.ts';

/** After the last change, in milliseconds. */
const PAUSE_MS = 1000;

export interface DraftsOptions {
  call: Call;
  isReady(): boolean;
  store: Store;
}

export interface Drafts {
  /** What the user has begun to write to somebody; nothing: an empty text. */
  set(target: Target, content: string): void;
  /** There is a connection: what waits goes out. */
  flush(): void;
  close(): void;
}

export function createDrafts({ call, isReady, store }: DraftsOptions): Drafts {
  const waiting = new Map<string, { target: Target; content: string }>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;

  function plan(delay: number): void {
    clearTimeout(timer);
    if (!isClosed) timer = setTimeout(() => void run(), delay);
  }

  async function run(): Promise<void> {
    for (const [key, draft] of waiting) {
      if (!isReady()) return;
      try {
        await call('conversation:update', { ...draft.target, draft: draft.content });
      } catch (error) {
        const wait = retryAfter(error);
        if (wait !== undefined) return plan(wait);
        if (toClientError(error).code === 'unavailable') return;
        // Refused: nothing was ever written there, or the text is too long. It stays on this device.
      }
      if (waiting.get(key) === draft) waiting.delete(key);
    }
  }

  return {
    set(target, content) {
      const id = store.find(target)?.[0];
      const known = id === undefined ? '' : (store.state().conversations.get(id)?.conversation?.draft?.content ?? '');
      if (known === content && !waiting.has(keyOf(target))) return;
      waiting.set(keyOf(target), { target, content });
      plan(content === '' ? 0 : PAUSE_MS);
    },
    flush: () => void run(),
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
