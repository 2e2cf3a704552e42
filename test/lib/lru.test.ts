import { expect, it } from 'vitest';
import { createLru } from '../../server/lib/lru.ts';

it('holds so many entries, and forgets the least recently used first', () => {
  const disposed: [string, string][] = [];
  const lru = createLru<number>('test', 3, { dispose: (_value, key, reason) => disposed.push([key, reason]) });
  for (const [i, key] of ['a', 'b', 'c'].entries()) lru.set(key, i);
  lru.get('a');
  lru.set('d', 3);
  lru.set('c', 4);
  lru.set('e', 5);
  expect(disposed.filter(([, reason]) => reason === 'evict')).toEqual([
    ['b', 'evict'],
    ['a', 'evict'],
  ]);
  expect(Object.fromEntries(lru.entries())).toEqual({ c: 4, d: 3, e: 5 });
});
