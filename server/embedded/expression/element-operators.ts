import { isDoc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { isTruthy } from '../values/numbers.ts';
import { arrayOf, isNothing } from './arguments.ts';
import type { Operator } from './expression.ts';

type Each = (element: unknown) => unknown;

/** What tells `$map` and `$filter` apart: the parameter with the expression, MongoDB's error codes, and the result. */
interface Kind {
  body: 'in' | 'cond';
  codes: { notDocument: number; unknown: number; noInput: number; noBody: number; notArray: number };
  collect(array: unknown[], each: Each): unknown[];
}

const MAP: Kind = {
  body: 'in',
  codes: { notDocument: 16878, unknown: 16879, noInput: 16880, noBody: 16882, notArray: 16883 },
  collect: (array, each) => array.map((element) => each(element) ?? null),
};

const FILTER: Kind = {
  body: 'cond',
  codes: { notDocument: 28646, unknown: 28647, noInput: 28648, noBody: 28650, notArray: 28651 },
  collect: (array, each) => array.filter((element) => isTruthy(each(element))),
};

/** An expression over each element of `input`. It sees the element as `$$this`, or under the name in `as`. */
function overElements({ body, codes, collect }: Kind): Operator {
  return (name, operand, compile) => {
    if (!isDoc(operand)) throw new Fault(codes.notDocument, `${name} only supports an object as its argument`);
    const unknown = Object.keys(operand).find((parameter) => !['input', 'as', body].includes(parameter));
    if (unknown !== undefined) throw new Fault(codes.unknown, `Unrecognized parameter to ${name}: ${unknown}`);
    if (!('input' in operand)) throw new Fault(codes.noInput, `Missing 'input' parameter to ${name}`);
    if (!(body in operand)) throw new Fault(codes.noBody, `Missing '${body}' parameter to ${name}`);
    const input = compile(operand.input);
    const as = typeof operand.as === 'string' ? operand.as : 'this';
    const expression = compile(operand[body]);
    return (variables) => {
      const value = input(variables);
      if (isNothing(value)) return null;
      const array = arrayOf(value, codes.notArray, `input to ${name} must be an array not`);
      return collect(array, (element) => expression({ ...variables, [as]: element }));
    };
  };
}

export const elementOperators: Record<string, Operator> = { $map: overElements(MAP), $filter: overElements(FILTER) };
