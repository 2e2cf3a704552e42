import { Double, Int32, Long } from 'bson';
import { addNumbers, arithmetic } from '../values/arithmetic.ts';
import { compare } from '../values/compare.ts';
import { Fault } from '../values/fault.ts';
import { isNumber, toNumber } from '../values/numbers.ts';
import { typeName } from '../values/types.ts';
import { isNothing, over } from './arguments.ts';
import type { Operator } from './expression.ts';

function add(args: unknown[]): unknown {
  let sum: unknown = new Int32(0);
  let hasDate = false;
  for (const value of args) {
    if (isNothing(value)) return null;
    if (value instanceof Date) {
      if (hasDate) throw new Fault(16612, 'only one date allowed in an $add expression');
      hasDate = true;
      sum = addNumbers(sum, Long.fromNumber(value.getTime()));
    } else {
      if (!isNumber(value)) throw new Fault(14, `$add only supports numeric or date types, not ${typeName(value)}`);
      sum = addNumbers(sum, value);
    }
  }
  return hasDate ? new Date(toNumber(sum)) : sum;
}

function subtract([a, b]: unknown[]): unknown {
  if (isNothing(a) || isNothing(b)) return null;
  if (a instanceof Date && b instanceof Date) return Long.fromNumber(a.getTime() - b.getTime());
  if (a instanceof Date && isNumber(b)) return new Date(a.getTime() - toNumber(b));
  if (!isNumber(a) || !isNumber(b)) throw new Fault(14, `can't $subtract ${typeName(b)} from ${typeName(a)}`);
  return arithmetic('subtract', a, b) ?? new Double(toNumber(a) - toNumber(b));
}

/** The extreme of the arguments, or of the elements if the only argument is an array. Null and missing do not count. */
function extreme(sign: 1 | -1): Operator {
  return over(0, Infinity, (args) => {
    const [first] = args;
    const values = (args.length === 1 && Array.isArray(first) ? first : args).filter((value) => !isNothing(value));
    if (values.length === 0) return null;
    return values.reduce((best, value) => (sign * compare(value, best) > 0 ? value : best));
  });
}

export const arithmeticOperators: Record<string, Operator> = {
  $add: over(0, Infinity, add),
  $subtract: over(2, 2, subtract),
  $min: extreme(-1),
  $max: extreme(1),
};
