import { isDoc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { isTruthy } from '../values/numbers.ts';
import { argumentsOf, compareInExpression, isNothing, over } from './arguments.ts';
import type { Operator } from './expression.ts';

function comparing(holds: (order: number) => boolean): Operator {
  return over(2, 2, ([a, b]) => holds(compareInExpression(a, b)));
}

/** Evaluates the arguments in turn until one is `until`. */
function logical(until: boolean): Operator {
  return (_, operand, compile) => {
    const args = argumentsOf(operand, compile);
    return (variables) => (args.some((arg) => isTruthy(arg(variables)) === until) ? until : !until);
  };
}

const cond: Operator = (_, operand, compile) => {
  const branches = isDoc(operand) ? [operand.if, operand.then, operand.else] : operand;
  const [test, yes, no] = Array.isArray(branches) ? branches.map(compile) : [];
  if (test === undefined || yes === undefined || no === undefined) {
    throw new Fault(16020, 'Expression $cond takes exactly 3 arguments');
  }
  return (variables) => (isTruthy(test(variables)) ? yes(variables) : no(variables));
};

const ifNull: Operator = (_, operand, compile) => {
  const args = argumentsOf(operand, compile);
  if (args.length < 2) throw new Fault(1257300, `$ifNull needs at least two arguments, had: ${args.length}`);
  return (variables) => {
    let value: unknown;
    for (const arg of args) {
      value = arg(variables);
      if (!isNothing(value)) return value;
    }
    return value;
  };
};

export const logicOperators: Record<string, Operator> = {
  $eq: comparing((order) => order === 0),
  $ne: comparing((order) => order !== 0),
  $gt: comparing((order) => order > 0),
  $gte: comparing((order) => order >= 0),
  $lt: comparing((order) => order < 0),
  $lte: comparing((order) => order <= 0),
  $and: logical(false),
  $or: logical(true),
  $not: over(1, 1, ([value]) => !isTruthy(value)),
  $cond: cond,
  $ifNull: ifNull,
};
