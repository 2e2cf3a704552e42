import { Int32 } from 'bson';
import { compileExpression } from '../expression/compile.ts';
import type { Variables } from '../expression/expression.ts';
import { addNumbers } from '../values/arithmetic.ts';
import { compare } from '../values/compare.ts';
import { type Doc, isDoc, setField } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { isNumber } from '../values/numbers.ts';

/** Accumulates a value over the documents of a group. `state` is undefined before the first. */
interface Accumulator {
  add(state: unknown, value: unknown): unknown;
  finish(state: unknown): unknown;
}

const orNull = (state: unknown) => state ?? null;

function extreme(sign: 1 | -1): Accumulator {
  return {
    add: (best, value) => {
      if (value === undefined || value === null) return best;
      return best === undefined || sign * compare(value, best) > 0 ? value : best;
    },
    finish: orNull,
  };
}

const ACCUMULATORS: Record<string, Accumulator> = {
  $sum: {
    add: (sum, value) => {
      if (!isNumber(value)) return sum;
      return sum === undefined ? value : addNumbers(sum, value);
    },
    finish: (sum) => sum ?? new Int32(0),
  },
  $min: extreme(-1),
  $max: extreme(1),
  $first: { add: (first, value) => (first === undefined ? (value ?? null) : first), finish: orNull },
  $last: { add: (_, value) => value ?? null, finish: orNull },
};

/** The accumulators of a `$group`. A group's state is a list with a state for each. */
export interface Accumulators {
  start(): unknown[];
  add(states: unknown[], variables: Variables): void;
  /** The fields of the group's document. */
  finish(states: unknown[]): Doc;
}

/**
 * Compiles the accumulators of a `$group`. Source: MongoDB manual, "$group".
 * @throws Fault 15952 for an unknown accumulator, 40234 or 40238 for a field that is not one accumulator
 */
export function compileAccumulators(fields: Doc): Accumulators {
  const compiled = Object.entries(fields).map(([name, spec]) => {
    const [operator, ...more] = isDoc(spec) ? Object.keys(spec) : [];
    if (operator === undefined) throw new Fault(40234, `The field '${name}' must be an accumulator object`);
    if (more.length > 0) throw new Fault(40238, `The field '${name}' must specify one accumulator`);
    const accumulator = Object.hasOwn(ACCUMULATORS, operator) ? ACCUMULATORS[operator] : undefined;
    if (accumulator === undefined) throw new Fault(15952, `unknown group operator '${operator}'`);
    return { name, accumulator, value: compileExpression((spec as Doc)[operator]) };
  });
  return {
    start: () => compiled.map(() => undefined),
    add(states, variables) {
      for (const [at, { accumulator, value }] of compiled.entries()) {
        states[at] = accumulator.add(states[at], value(variables));
      }
    },
    finish(states) {
      const doc: Doc = {};
      for (const [at, { name, accumulator }] of compiled.entries()) setField(doc, name, accumulator.finish(states[at]));
      return doc;
    },
  };
}
