import { Double, Int32, Long } from 'bson';
import { Fault } from './errors.ts';
import type { Expression } from './expressions.ts';
import { compare } from './keys.ts';
import { arithmetic } from './numbers.ts';
import { isDoc, isNumber, isTruthy, toNumber, typeName } from './values.ts';

type Compile = (expression: unknown) => Expression;
type Operator = (operand: unknown, compile: Compile) => Expression;

/** An operator over its evaluated arguments, at least `least` and at most `most` of them. */
function over(least: number, most: number, evaluate: (args: unknown[]) => unknown): Operator {
  return (operand, compile) => {
    const args = (Array.isArray(operand) ? operand : [operand]).map(compile);
    if (args.length < least || args.length > most) {
      throw new Fault(
        16020,
        `Expression takes ${least === most ? 'exactly' : 'at least'} ${least} arguments. ${args.length} were passed in.`,
      );
    }
    return (variables) => evaluate(args.map((arg) => arg(variables)));
  };
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null;
}

function numberOf(name: string, value: unknown): number {
  if (!isNumber(value)) throw new Fault(28765, `${name} only supports numeric types, not ${typeName(value)}`);
  return toNumber(value);
}

function arrayOf(name: string, value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Fault(17040, `${name} requires arrays, found: ${typeName(value)}`);
  return value;
}

/** Missing orders below null in expressions. */
function order(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return (a === undefined ? 0 : 1) - (b === undefined ? 0 : 1);
  return compare(a, b);
}

function comparing(holds: (order: number) => boolean): Operator {
  return over(2, 2, ([a, b]) => holds(order(a, b)));
}

function add(args: unknown[]): unknown {
  let sum: unknown = new Int32(0);
  let date = false;
  for (const value of args) {
    if (isNothing(value)) return null;
    if (value instanceof Date) {
      if (date) throw new Fault(16612, 'only one date allowed in an $add expression');
      date = true;
      sum = arithmetic('add', sum, Long.fromNumber(value.getTime()));
    } else {
      if (!isNumber(value)) throw new Fault(14, `$add only supports numeric or date types, not ${typeName(value)}`);
      sum = arithmetic('add', sum, value) ?? new Double(toNumber(sum) + toNumber(value));
    }
  }
  return date ? new Date(toNumber(sum)) : sum;
}

function subtract([a, b]: unknown[]): unknown {
  if (isNothing(a) || isNothing(b)) return null;
  if (a instanceof Date) {
    if (b instanceof Date) return Long.fromNumber(a.getTime() - b.getTime());
    return new Date(a.getTime() - numberOf('$subtract', b));
  }
  numberOf('$subtract', a);
  numberOf('$subtract', b);
  return arithmetic('subtract', a, b) ?? new Double(toNumber(a) - toNumber(b));
}

/** The extreme of the arguments or of one array; null and missing do not count. */
function extreme(sign: 1 | -1): Operator {
  return over(1, Infinity, (args) => {
    const values = (args.length === 1 && Array.isArray(args[0]) ? args[0] : args).filter((v) => !isNothing(v));
    if (values.length === 0) return null;
    return values.reduce((best, value) => (sign * compare(value, best) > 0 ? value : best));
  });
}

function isIn(value: unknown, array: unknown[]): boolean {
  return array.some((element) => order(element, value) === 0);
}

function distinct(values: unknown[]): unknown[] {
  return values.toSorted(compare).filter((value, at, all) => at === 0 || compare(value, all[at - 1]) !== 0);
}

function slice([array, first, count]: unknown[]): unknown {
  if (isNothing(array) || isNothing(first)) return null;
  const values = arrayOf('$slice', array);
  const n = numberOf('$slice', first);
  if (count === undefined) return n < 0 ? values.slice(n) : values.slice(0, n);
  const start = n < 0 ? Math.max(0, values.length + n) : n;
  return values.slice(start, start + numberOf('$slice', count));
}

function elementAt([array, at]: unknown[]): unknown {
  if (isNothing(array) || isNothing(at)) return null;
  return arrayOf('$arrayElemAt', array).at(numberOf('$arrayElemAt', at));
}

function bySet(combine: (arrays: unknown[][]) => unknown): Operator {
  return over(1, Infinity, (args) => (args.some(isNothing) ? null : combine(args.map((a) => arrayOf('$set…', a)))));
}

/** The logical operators look at their arguments one after the other. */
function logical(until: boolean): Operator {
  return (operand, compile) => {
    const args = (Array.isArray(operand) ? operand : [operand]).map(compile);
    return (variables) => (args.some((arg) => isTruthy(arg(variables)) === until) ? until : !until);
  };
}

const cond: Operator = (operand, compile) => {
  const [test, yes, no] = (
    isDoc(operand) ? [operand.if, operand.then, operand.else] : Array.isArray(operand) ? operand : []
  ).map(compile);
  if (test === undefined || yes === undefined || no === undefined)
    throw new Fault(16020, '$cond takes exactly 3 arguments');
  return (variables) => (isTruthy(test(variables)) ? yes(variables) : no(variables));
};

const ifNull: Operator = (operand, compile) => {
  const args = (operand as unknown[]).map(compile);
  return (variables) => {
    let value: unknown;
    for (const arg of args) {
      value = arg(variables);
      if (!isNothing(value)) return value;
    }
    return value;
  };
};

/** The expression operators that this database knows; anything else is refused as unknown. */
export const operators: Record<string, Operator> = {
  $add: over(0, Infinity, add),
  $subtract: over(2, 2, subtract),
  $eq: comparing((o) => o === 0),
  $ne: comparing((o) => o !== 0),
  $gt: comparing((o) => o > 0),
  $gte: comparing((o) => o >= 0),
  $lt: comparing((o) => o < 0),
  $lte: comparing((o) => o <= 0),
  $and: logical(false),
  $or: logical(true),
  $not: over(1, 1, ([value]) => !isTruthy(value)),
  $cond: cond,
  $ifNull: ifNull,
  $min: extreme(-1),
  $max: extreme(1),
  $in: over(2, 2, ([value, array]) => isIn(value, arrayOf('$in', array))),
  $size: over(1, 1, ([array]) => new Int32(arrayOf('The argument to $size', array).length)),
  $arrayElemAt: over(2, 2, elementAt),
  $slice: over(2, 3, slice),
  $concatArrays: over(0, Infinity, (args) =>
    args.some(isNothing) ? null : args.flatMap((array) => arrayOf('$concatArrays', array)),
  ),
  $setUnion: bySet((arrays) => distinct(arrays.flat())),
  $setIntersection: bySet(([first, ...rest]) => distinct(first!).filter((v) => rest.every((array) => isIn(v, array)))),
  $setDifference: over(2, 2, ([a, b]) =>
    isNothing(a) || isNothing(b)
      ? null
      : distinct(arrayOf('$setDifference', a)).filter((v) => !isIn(v, arrayOf('$setDifference', b))),
  ),
  $type: over(1, 1, ([value]) => typeName(value)),
};
