/** A set of whole numbers that come mostly one after the other, such as `seq`: kept as ranges, so it stays small. */

export interface Ranges {
  /** @returns false when it was in already */
  add(value: number): boolean;
  has(value: number): boolean;
  /** The largest number up to which all from 1 on are in; 0 without 1. */
  whole(): number;
  /** Those from one number to another, both included, that are not in. */
  missing(from: number, to: number): number[];
}

export function createRanges(): Ranges {
  /** Ascending, and never touching each other. */
  const ranges: { from: number; to: number }[] = [];

  /** Where the last range that begins at or below a value is; -1 without one. Most values are at the end. */
  function placeOf(value: number): number {
    let at = ranges.length - 1;
    while (at >= 0 && ranges[at]!.from > value) at--;
    return at;
  }

  const has = (value: number) => (ranges[placeOf(value)]?.to ?? Number.NEGATIVE_INFINITY) >= value;

  return {
    has,
    add(value) {
      const at = placeOf(value);
      const below = ranges[at];
      const above = ranges[at + 1];
      if (below && below.to >= value) return false;
      const extendsBelow = below?.to === value - 1;
      const extendsAbove = above?.from === value + 1;
      if (extendsBelow && extendsAbove) {
        below!.to = above!.to;
        ranges.splice(at + 1, 1);
      } else if (extendsBelow) below!.to = value;
      else if (extendsAbove) above!.from = value;
      else ranges.splice(at + 1, 0, { from: value, to: value });
      return true;
    },
    whole: () => (ranges[0]?.from === 1 ? ranges[0].to : 0),
    missing(from, to) {
      const missing: number[] = [];
      let next = from;
      const missingBelow = (end: number) => {
        while (next < end) missing.push(next++);
      };
      for (const range of ranges) {
        missingBelow(Math.min(range.from, to + 1));
        next = Math.max(next, range.to + 1);
      }
      missingBelow(to + 1);
      return missing;
    },
  };
}
