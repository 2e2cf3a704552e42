import { BSONRegExp } from 'bson';
import type { Condition } from '../query/filter.ts';
import { comparisonIntervals, distinctPoints, type Interval, intersect, point, textsFrom } from './intervals.ts';
import { literalPrefix } from './literal-prefix.ts';

/** Where the values that meet the conditions on one field lie. */
export interface Bounds {
  /** In ascending order. */
  intervals: Interval[];
  /** The conditions that made the bounds. */
  used: Condition[];
  /** Those of them that the index answers without a further test. */
  answered: Set<Condition>;
}

/**
 * The bounds that conditions on one field give to an index over it.
 * @param isMultikey the field has arrays: different elements may meet different conditions, so only one condition can
 *   bound the scan
 * @returns undefined if no condition bounds the field
 */
export function boundsOf(conditions: Condition[], isMultikey: boolean): Bounds | undefined {
  const bounded = conditions.flatMap((condition) => {
    const intervals = intervalsOf(condition);
    return intervals === undefined ? [] : [{ condition, intervals }];
  });
  if (bounded.length === 0) return undefined;
  bounded.sort((a, b) => rank(a.intervals) - rank(b.intervals));
  const used = isMultikey ? bounded.slice(0, 1) : bounded;
  return {
    intervals: used.map((each) => each.intervals).reduce(intersect),
    used: used.map((each) => each.condition),
    answered: new Set(used.map((each) => each.condition).filter(isExact)),
  };
}

/** Few points come first, ranges last. */
function rank(intervals: Interval[]): number {
  return intervals.every(({ isPoint }) => isPoint) ? intervals.length : 1_000_000;
}

/** Whether the index alone answers the condition. Null also finds missing fields, and some of these do not match. */
function isExact({ op, operand }: Condition): boolean {
  if (op === '$in') return !(operand as unknown[]).includes(null);
  if (op === '$regex') return literalPrefix(operand)?.isWhole === true;
  return operand !== null;
}

function intervalsOf({ op, operand }: Condition): Interval[] | undefined {
  switch (op) {
    case '$eq':
      return isBoundable(operand) ? [point(operand)] : undefined;
    case '$in': {
      const values = operand as unknown[];
      return values.every(isBoundable) ? distinctPoints(values.map(point)) : undefined;
    }
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return isBoundable(operand) ? comparisonIntervals(op, operand) : undefined;
    case '$regex': {
      const prefix = literalPrefix(operand);
      // A stored regular expression equals itself.
      return prefix === undefined ? undefined : [textsFrom(prefix.text), point(operand)];
    }
    default:
      return undefined;
  }
}

function isBoundable(value: unknown): boolean {
  if (value === undefined || Array.isArray(value) || value instanceof BSONRegExp) return false;
  if (typeof value !== 'object' || value === null || !('_bsontype' in value)) return true;
  return value._bsontype !== 'MinKey' && value._bsontype !== 'MaxKey';
}
