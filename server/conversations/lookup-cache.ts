/**
 * Caches what commands look up again and again: who may do what, who is in a group, what somebody set. A change makes
 * every node forget it, this one directly and others over the bus. Should an invalidation be lost, an entry holds for a
 * short time only.
 */

import { cacheRequests, createLru } from '../lib/lru.ts';

/** How many topics are cached. */
const CACHED = 50_000;
/** On a single node: the store may carry out a change whose answer was lost. In milliseconds. */
const ALONE_MS = 30_000;
/** With other nodes: an invalidation may be lost. In milliseconds. */
const LINKED_MS = 2000;

/** How long an entry holds: alone, beside nodes that tell what they change, or beside ones that do not. */
export type Company = 'alone' | 'linked' | 'unlinked';
const HOLDS_MS: Record<Company, number> = { alone: ALONE_MS, linked: LINKED_MS, unlinked: 0 };

export interface LookupCache {
  /**
   * @param topic what a change forgets: the id of a conversation, or of a user
   * @param key what is looked up of it
   * @param find looks it up; undefined is not cached
   * @returns what is cached, or what `find` returns
   */
  recall<V extends {}>(topic: string, key: string, find: () => Promise<V | undefined>): Promise<V | undefined>;
  /**
   * Carries out a change of a topic, or of any (undefined): forgets what is cached of it on every node, and caches
   * nothing new here until the change is done.
   */
  changing<T>(topic: string | undefined, work: () => Promise<T>): Promise<T>;
  /** Forgets a topic, or everything: another node changed it. */
  forget(topic?: string): void;
}

interface Entry {
  value: unknown;
  /** By `performance.now()`. */
  foundAt: number;
}

export interface LookupCacheOptions {
  company(): Company;
  /** Has the other nodes forget a topic, or everything. */
  tellOthers(topic: string | undefined): void;
}

export function createLookupCache({ company, tellOthers }: LookupCacheOptions): LookupCache {
  const topics = createLru<Map<string, Entry>>('lookup topics', CACHED);
  const requests = cacheRequests('lookups');
  let underWay = 0;
  /** Grows whenever a change begins or ends: what was looked up across such a moment is not cached. */
  let moment = 0;

  function forget(topic: string | undefined): void {
    moment++;
    if (topic === undefined) topics.clear();
    else topics.delete(topic);
  }

  return {
    async recall<V extends {}>(topic: string, key: string, find: () => Promise<V | undefined>) {
      const known = topics.get(topic)?.get(key);
      const asked = performance.now();
      if (known && asked - known.foundAt < HOLDS_MS[company()]) {
        requests.hit.add();
        return known.value as V;
      }
      requests.miss.add();
      const before = moment;
      const found = await find();
      if (found === undefined || underWay > 0 || moment !== before || HOLDS_MS[company()] === 0) return found;
      const entries = topics.get(topic) ?? new Map<string, Entry>();
      if (entries.size === 0) topics.set(topic, entries);
      entries.set(key, { value: found, foundAt: asked });
      return found;
    },
    async changing(topic, work) {
      underWay++;
      forget(topic);
      try {
        return await work();
      } finally {
        underWay--;
        forget(topic);
        tellOthers(topic);
      }
    },
    forget,
  };
}
