/** Asks for conversations that were told of and are not known: they have just come into being, or the user came in. */
import type { Store } from '../store/store.ts';

/** How long questions are gathered, in milliseconds. */
const GATHER_MS = 100;

export interface RefreshOptions {
  store: Store;
  /** Whether asking makes sense now. */
  mayAsk(): boolean;
  ask(): Promise<unknown>;
}

export interface Refresh {
  /** Something was told of a conversation. */
  touched(conversationId: string): void;
  close(): void;
}

export function createRefresh({ store, mayAsk, ask }: RefreshOptions): Refresh {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    touched(id) {
      const kept = store.state().conversations.get(id);
      if ((kept?.conversation && kept.rev > 0) || !mayAsk()) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        // Where it fails the connection is lost, and the next one asks for everything.
        if (mayAsk()) ask().catch(() => {});
      }, GATHER_MS);
    },
    close: () => clearTimeout(timer),
  };
}
