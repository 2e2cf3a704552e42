import { compare } from '../values/compare.ts';
import { Fault } from '../values/fault.ts';
import { isNumber, toNumber } from '../values/numbers.ts';
import { typeName } from '../values/types.ts';
import type { Compile, Expression, Operator } from './expression.ts';

/** An operator that evaluates all its arguments, at least `least` and at most `most` of them. */
export function over(least: number, most: number, evaluate: (args: unknown[], name: string) => unknown): Operator {
  return (name, operand, compile) => {
    const args = argumentsOf(operand, compile);
    if (args.length < least || args.length > most) throw wrongCount(name, least, most, args.length);
    return (variables) =>
      evaluate(
        args.map((arg) => arg(variables)),
        name,
      );
  };
}

/** The compiled arguments. An operand that is not an array is the only argument. */
export function argumentsOf(operand: unknown, compile: Compile): Expression[] {
  return (Array.isArray(operand) ? operand : [operand]).map(compile);
}

function wrongCount(name: string, least: number, most: number, count: number): Fault {
  if (least === most) {
    return new Fault(16020, `Expression ${name} takes exactly ${least} arguments. ${count} were passed in.`);
  }
  const bounds = `takes at least ${least} arguments, and at most ${most}`;
  return new Fault(28667, `Expression ${name} ${bounds}, but ${count} were passed in.`);
}

export function isNothing(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** Compares as expressions do: missing comes before null. */
export function compareInExpression(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return (a === undefined ? 0 : 1) - (b === undefined ? 0 : 1);
  return compare(a, b);
}

/**
 * The argument as an array.
 * @throws Fault with the operator's own code and `message`, to which the type is appended
 */
export function arrayOf(value: unknown, code: number, message: string): unknown[] {
  if (!Array.isArray(value)) throw new Fault(code, `${message} ${typeName(value)}`);
  return value;
}

/**
 * The argument as a number.
 * @throws Fault with the operator's own code and `message`, to which the type is appended
 */
export function numberOf(value: unknown, code: number, message: string): number {
  if (!isNumber(value)) throw new Fault(code, `${message} ${typeName(value)}`);
  return toNumber(value);
}
