import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createRanges } from './ranges.ts';
import { checkConnection } from './told.ts';

it('ranges are a set of numbers, whatever their order', () => {
  const number = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(fc.array(number), number, number, (values, from, to) => {
      const ranges = createRanges();
      const set = new Set<number>();
      for (const value of values) {
        expect(ranges.add(value)).toBe(!set.has(value));
        set.add(value);
      }
      const upTo = (end: number) => Array.from({ length: end }, (_, i) => i + 1);
      expect(upTo(41).filter(ranges.has)).toEqual(upTo(41).filter((value) => set.has(value)));
      expect(ranges.missing(from, to)).toEqual(upTo(to).filter((value) => value >= from && !set.has(value)));
      expect(ranges.whole()).toBe(upTo(41).find((value) => !set.has(value))! - 1);
    }),
  );
});

it('a connection is checked for what comes twice, too early and not at all', () => {
  const findings: string[] = [];
  const check = checkConnection((what, words) => findings.push(`${what}: ${words}`));
  const tell = (seq: number, rev: number, isNew = true) => check.told({ conversation: 'c', seq, rev, isNew });
  tell(1, 1);
  tell(4, 4);
  tell(1, 5, false);
  check.acknowledged('c', 6);
  expect(findings).toEqual([]);
  expect(check.missing('c', 1, 6)).toEqual([2, 3, 5]);
  expect(check.last('c')).toBe(4);
  tell(2, 2);
  expect(findings).toEqual(['outOfOrder: c: rev 2 after 5']);
  tell(4, 6);
  expect(findings.at(-1)).toBe('doubled: c: seq 4 told twice');
});
