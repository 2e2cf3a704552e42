import { LRUCache } from 'lru-cache';

type Options<V> = Pick<LRUCache.OptionsBase<string, V & {}, unknown>, 'dispose' | 'ttl'>;

/**
 * A cache of at most so many entries, of which the least recently used goes first. It takes memory as it fills: told a
 * `max`, lru-cache reserves it for all entries at once.
 * @param most how many entries
 */
export function createLru<V extends {}>(most: number, options: Options<V> = {}): LRUCache<string, V> {
  return new LRUCache<string, V>({ maxSize: most, sizeCalculation: () => 1, ...options });
}
