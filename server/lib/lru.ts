import { LRUCache } from 'lru-cache';
import { type Count, counters, readings } from './measures.ts';

type Options<V> = Pick<LRUCache.OptionsBase<string, V & {}, unknown>, 'dispose' | 'ttl'>;

const requests = counters('letsapp_cache_requests_total', 'What was asked of what is remembered in memory, and found', [
  'cache',
  'result',
]);

/** The caches that are in use, by name: some come and go. */
const caches = new Map<string, Set<WeakRef<{ size: number }>>>();
readings('letsapp_cache_entries', 'How much is remembered in memory', () =>
  [...caches].map(([cache, refs]) => ({ labels: { cache }, value: entriesOf(refs) })),
);

function entriesOf(refs: Set<WeakRef<{ size: number }>>): number {
  let entries = 0;
  for (const ref of refs) {
    const size = ref.deref()?.size;
    if (size === undefined) refs.delete(ref);
    else entries += size;
  }
  return entries;
}

/** @returns what counts whether a request was a hit or a miss */
export function cacheRequests(cache: string): { hit: Count; miss: Count } {
  return { hit: requests(cache, 'hit'), miss: requests(cache, 'miss') };
}

class MeasuredCache<V extends {}> extends LRUCache<string, V> {
  readonly #requests;

  constructor(name: string, options: LRUCache.Options<string, V, unknown>) {
    super(options);
    this.#requests = cacheRequests(name);
    const refs = caches.get(name) ?? new Set();
    caches.set(name, refs.add(new WeakRef(this)));
  }

  override get(key: string): V | undefined {
    const found = super.get(key);
    if (found === undefined) this.#requests.miss.add();
    else this.#requests.hit.add();
    return found;
  }
}

/**
 * A cache of at most so many entries, of which the least recently used goes first. It takes memory as it fills: told a
 * `max`, lru-cache reserves it for all entries at once.
 * @param name tells it from others, in metrics; those of one name count together
 * @param most how many entries
 */
export function createLru<V extends {}>(name: string, most: number, options: Options<V> = {}): LRUCache<string, V> {
  return new MeasuredCache<V>(name, { maxSize: most, sizeCalculation: () => 1, ...options });
}
