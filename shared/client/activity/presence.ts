/** Asks for the presence of those who are looked at: once for all of them together. */
import type { Call } from '../commands.ts';

/** How many users one question may name. */
const MOST = 200;

export interface PresenceWatchOptions {
  call: Call;
  isReady(): boolean;
}

export interface PresenceWatch {
  /** Somebody looks at a user: asked for once a connection. */
  look(userId: string): void;
  /** There is a new connection: all that are looked at are asked for again. */
  flush(): void;
}

export function createPresenceWatch({ call, isReady }: PresenceWatchOptions): PresenceWatch {
  /** Asked for on this connection. */
  const asked = new Set<string>();
  const toAsk = new Set<string>();
  let isPlanned = false;

  function plan(): void {
    if (isPlanned || !isReady() || toAsk.size === 0) return;
    isPlanned = true;
    setTimeout(() => {
      isPlanned = false;
      const userIds = [...toAsk].slice(0, MOST);
      for (const userId of userIds) toAsk.delete(userId);
      // What was refused is asked for again with the next connection.
      call('presence:get', { user_ids: userIds }).catch(() => {});
      plan();
    });
  }

  function look(userId: string): void {
    if (asked.has(userId)) return;
    asked.add(userId);
    toAsk.add(userId);
    plan();
  }

  return {
    look,
    flush() {
      const before = [...asked];
      asked.clear();
      toAsk.clear();
      for (const userId of before) look(userId);
    },
  };
}
