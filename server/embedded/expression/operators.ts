import { clone } from '../values/document.ts';
import { typeName } from '../values/types.ts';
import { over } from './arguments.ts';
import { arithmeticOperators } from './arithmetic-operators.ts';
import { arrayOperators } from './array-operators.ts';
import { elementOperators } from './element-operators.ts';
import type { Operator } from './expression.ts';
import { logicOperators } from './logic-operators.ts';
import { setOperators } from './set-operators.ts';

/** The expression operators of this database, by name. */
export const expressionOperators: Record<string, Operator> = {
  ...arithmeticOperators,
  ...logicOperators,
  ...arrayOperators,
  ...setOperators,
  ...elementOperators,
  $literal: (_, operand) => () => clone(operand),
  $type: over(1, 1, ([value]) => typeName(value)),
};
