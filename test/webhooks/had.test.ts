import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addHad, hadUpTo, hasHad } from '../../server/webhooks/had.ts';

const seqs = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });

it('holds exactly what was added, as the fewest ranges, in any order', () => {
  fc.assert(
    fc.property(seqs, fc.nat(41), (added, cut) => {
      const had: number[] = [];
      for (const seq of added) addHad(had, seq);
      const all = Array.from({ length: 42 }, (_, seq) => seq);
      expect(all.filter((seq) => hasHad(had, seq))).toEqual([...new Set(added)].sort((a, b) => a - b));
      for (let i = 2; i < had.length; i += 2) expect(had[i]! - had[i - 1]!).toBeGreaterThan(1);
      const kept = hadUpTo(had, cut);
      expect(all.filter((seq) => hasHad(kept, seq))).toEqual(all.filter((seq) => seq <= cut && hasHad(had, seq)));
    }),
  );
});

it('forgets the lowest beyond a thousand ranges', () => {
  const had: number[] = [];
  for (let seq = 1; seq <= 2003; seq += 2) addHad(had, seq);
  expect(had).toHaveLength(2000);
  expect([hasHad(had, 1), hasHad(had, 3), hasHad(had, 5), hasHad(had, 2003)]).toEqual([false, false, true, true]);
});
