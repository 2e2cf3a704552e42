import { compare } from '../values/compare.ts';
import { arrayOf, isNothing, over } from './arguments.ts';
import type { Operator } from './expression.ts';

/** The elements in order, each once. */
function distinct(values: unknown[]): unknown[] {
  return values.toSorted(compare).filter((value, at, all) => at === 0 || compare(value, all[at - 1]) !== 0);
}

function includes(array: unknown[], value: unknown): boolean {
  return array.some((element) => compare(element, value) === 0);
}

function overSets(code: number, combine: (arrays: unknown[][]) => unknown[]): Operator {
  return over(0, Infinity, (args, name) => {
    if (args.some(isNothing)) return null;
    const message = `All operands of ${name} must be arrays. One argument is of type:`;
    return combine(args.map((array) => arrayOf(array, code, message)));
  });
}

function difference([a, b]: unknown[]): unknown {
  if (isNothing(a) || isNothing(b)) return null;
  const first = arrayOf(a, 17048, 'both operands of $setDifference must be arrays. First argument is of type:');
  const second = arrayOf(b, 17049, 'both operands of $setDifference must be arrays. Second argument is of type:');
  return distinct(first).filter((value) => !includes(second, value));
}

export const setOperators: Record<string, Operator> = {
  $setUnion: overSets(17043, (arrays) => distinct(arrays.flat())),
  $setIntersection: overSets(17047, ([first = [], ...rest]) =>
    distinct(first).filter((value) => rest.every((array) => includes(array, value))),
  ),
  $setDifference: over(2, 2, difference),
};
