import { Double, Int32 } from 'bson';
import { Fault } from './errors.ts';
import type { Expression, Variables } from './expressions.ts';
import { compileExpression } from './expressions.ts';
import { compare } from './keys.ts';
import { arithmetic } from './numbers.ts';
import type { Doc } from './values.ts';
import { isDoc, isNumber, setField, toNumber } from './values.ts';

/** How an accumulator goes from document to document: `state` is undefined before the first. */
interface Accumulator {
  add(state: unknown, value: unknown): unknown;
  finish(state: unknown): unknown;
}

const asItIs = (state: unknown) => state ?? null;

function extreme(sign: 1 | -1): Accumulator {
  return {
    add: (best, value) => {
      if (value === undefined || value === null) return best;
      return best === undefined || sign * compare(value, best) > 0 ? value : best;
    },
    finish: asItIs,
  };
}

function addNumbers(sum: unknown, value: unknown): unknown {
  if (!isNumber(value)) return sum;
  return sum === undefined ? value : (arithmetic('add', sum, value) ?? new Double(toNumber(sum) + toNumber(value)));
}

const accumulators: Record<string, Accumulator> = {
  $sum: { add: addNumbers, finish: (sum) => sum ?? new Int32(0) },
  $min: extreme(-1),
  $max: extreme(1),
  $first: { add: (first, value) => (first === undefined ? (value ?? null) : first), finish: asItIs },
  $last: { add: (_, value) => value ?? null, finish: asItIs },
};

/**
 * Compiles the accumulators of a `$group`. Source: MongoDB manual, "$group".
 * @throws Fault 15952 for an unknown accumulator, 40234 for a field that is none
 */
export function compileAccumulators(fields: Doc) {
  const compiled = Object.entries(fields).map(([name, spec]) => {
    const [operator, ...more] = isDoc(spec) ? Object.keys(spec) : [];
    if (operator === undefined) throw new Fault(40234, `The field '${name}' must be an accumulator object`);
    if (more.length > 0) throw new Fault(40238, `The field '${name}' must specify one accumulator`);
    const accumulator = Object.hasOwn(accumulators, operator) ? accumulators[operator] : undefined;
    if (accumulator === undefined) throw new Fault(15952, `unknown group operator '${operator}'`);
    const value: Expression = compileExpression((spec as Doc)[operator]);
    return { name, accumulator, value };
  });
  return {
    start: (): unknown[] => compiled.map(() => undefined),
    add(states: unknown[], scope: Variables): void {
      for (const [at, { accumulator, value }] of compiled.entries())
        states[at] = accumulator.add(states[at], value(scope));
    },
    finish(states: unknown[]): Doc {
      const doc: Doc = {};
      for (const [at, { name, accumulator }] of compiled.entries()) setField(doc, name, accumulator.finish(states[at]));
      return doc;
    },
  };
}
