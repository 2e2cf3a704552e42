import { arithmetic } from '../values/arithmetic.ts';
import { compare } from '../values/compare.ts';
import { display } from '../values/display.ts';
import { clone } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { isLong, isNumber } from '../values/numbers.ts';
import { valueAt } from '../values/paths.ts';
import { typeName } from '../values/types.ts';
import { setAt, unsetAt } from './set-path.ts';
import type { Change, Modifier } from './types.ts';

function set(operand: unknown): Change {
  return (doc, path) => setAt(doc, path, clone(operand));
}

function increment(operand: unknown): Change {
  if (!isNumber(operand)) throw new Fault(14, `Cannot increment with non-numeric argument: ${display(operand)}`);
  return (doc, path) => {
    const value = valueAt(doc, path);
    if (value === undefined) return setAt(doc, path, operand);
    if (!isNumber(value)) {
      throw new Fault(
        14,
        `Cannot apply $inc to a value of non-numeric type. {_id: ${display(doc._id)}} has the field '${path.at(-1)}' of non-numeric type ${typeName(value)}`,
      );
    }
    const result = arithmetic('add', value, operand);
    if (result === undefined) {
      throw new Fault(
        2,
        `Failed to apply $inc operations to current value (${isLong(value) ? 'NumberLong' : 'NumberInt'}) for document {_id: ${display(doc._id)}}`,
      );
    }
    setAt(doc, path, result);
  };
}

/** `$min` and `$max`: set the operand if there is no value yet, or if it wins the comparison with it. */
function replaceIf(wins: (order: number) => boolean): Modifier {
  return (operand) => (doc, path) => {
    const value = valueAt(doc, path);
    if (value === undefined || wins(compare(operand, value))) setAt(doc, path, clone(operand));
  };
}

function rename(operand: unknown, path: string): Change {
  if (typeof operand !== 'string') {
    throw new Fault(2, `The 'to' field for $rename must be a string: ${path}: ${display(operand)}`);
  }
  if (operand === path) throw new Fault(2, `The source and target field for $rename must differ: ${path}`);
  const target = operand.split('.');
  return (doc, from) => {
    const value = valueAt(doc, from);
    if (value === undefined) return;
    unsetAt(doc, from);
    setAt(doc, target, value);
  };
}

/** The update operators on single values, by name. */
export const fieldModifiers: Record<string, Modifier> = {
  $set: set,
  $setOnInsert: set,
  $unset: () => unsetAt,
  $inc: increment,
  $min: replaceIf((order) => order < 0),
  $max: replaceIf((order) => order > 0),
  $rename: rename,
};
