import { Int32 } from 'bson';
import { Fault } from '../values/fault.ts';
import { arrayOf, compareInExpression, isNothing, numberOf, over } from './arguments.ts';
import type { Operator } from './expression.ts';

function includes(array: unknown[], value: unknown): boolean {
  return array.some((element) => compareInExpression(element, value) === 0);
}

function slice([array, first, count]: unknown[]): unknown {
  if (isNothing(array) || isNothing(first) || count === null) return null;
  const values = arrayOf(array, 28724, 'First argument to $slice must be an array, but is of type:');
  const n = numberOf(first, 28725, 'Second argument to $slice must be a numeric value, but is of type:');
  if (count === undefined) return n < 0 ? values.slice(n) : values.slice(0, n);
  const length = numberOf(count, 28727, 'Third argument to $slice must be numeric, but is of type:');
  if (length <= 0) throw new Fault(28729, `Third argument to $slice must be positive: ${length}`);
  const start = n < 0 ? Math.max(0, values.length + n) : n;
  return values.slice(start, start + length);
}

function elementAt([array, index]: unknown[]): unknown {
  if (isNothing(array) || isNothing(index)) return null;
  const values = arrayOf(array, 28689, "$arrayElemAt's first argument must be an array, but is");
  return values.at(numberOf(index, 28690, "$arrayElemAt's second argument must be a numeric value, but is"));
}

function concatArrays(args: unknown[]): unknown {
  if (args.some(isNothing)) return null;
  return args.flatMap((array) => arrayOf(array, 28664, '$concatArrays only supports arrays, not'));
}

export const arrayOperators: Record<string, Operator> = {
  $in: over(2, 2, ([value, array]) =>
    includes(arrayOf(array, 40081, '$in requires an array as a second argument, found:'), value),
  ),
  $size: over(1, 1, ([array]) => {
    return new Int32(arrayOf(array, 17124, 'The argument to $size must be an array, but was of type:').length);
  }),
  $arrayElemAt: over(2, 2, elementAt),
  $slice: over(2, 3, slice),
  $concatArrays: over(0, Infinity, concatArrays),
};
