/**
 * Caches access decisions, so that a message on a single node needs no look-up. Several nodes cache nothing: a block
 * must hold on all of them once it is acknowledged, and one node does not see another's change in time. That goes for
 * nodes on one database without Redis, too, from the moment that one sees the other.
 */

import { createLru } from '../lib/lru.ts';
import type { Access } from './access.ts';

/** How many conversations are cached. */
const CACHED = 50_000;
/** The store may carry out a change whose answer was lost. It is seen at the latest after this, in milliseconds. */
const TTL_MS = 30_000;

export interface AccessMemory {
  /** A user's access to a conversation: cached, or else found by `find`. */
  recall(conversationId: string, userId: string, find: () => Promise<Access | undefined>): Promise<Access | undefined>;
  /**
   * Carries out a change of rights in a conversation, or in any (undefined): forgets what is cached of it, and caches
   * nothing new until the change is done.
   */
  changing<T>(conversationId: string | undefined, work: () => Promise<T>): Promise<T>;
  /** Forgets everything. */
  clear(): void;
}

/** Caches nothing. */
export const NO_MEMORY: AccessMemory = {
  recall: (_conversationId, _userId, find) => find(),
  changing: (_conversationId, work) => work(),
  clear: () => {},
};

/** @param isAlone whether nobody else changes the database: only then is anything cached */
export function createAccessMemory(isAlone = () => true): AccessMemory {
  const conversations = createLru<Map<string, Access>>(CACHED, { ttl: TTL_MS });
  let underWay = 0;
  /** Grows whenever a change begins or ends: what was looked up across such a moment is not cached. */
  let moment = 0;

  return {
    async recall(conversationId, userId, find) {
      if (!isAlone()) return find();
      const known = conversations.get(conversationId)?.get(userId);
      if (known) return known;
      const before = moment;
      const found = await find();
      if (!found || underWay > 0 || moment !== before || !isAlone()) return found;
      const users = conversations.get(conversationId) ?? new Map<string, Access>();
      if (users.size === 0) conversations.set(conversationId, users);
      users.set(userId, found);
      return found;
    },
    async changing(conversationId, work) {
      underWay++;
      moment++;
      if (conversationId === undefined) conversations.clear();
      else conversations.delete(conversationId);
      try {
        return await work();
      } finally {
        underWay--;
        moment++;
      }
    },
    clear() {
      moment++;
      conversations.clear();
    },
  };
}
