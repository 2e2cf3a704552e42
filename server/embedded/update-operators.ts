import { Fault } from './errors.ts';
import { compare } from './keys.ts';
import { elementTest } from './match.ts';
import { arithmetic } from './numbers.ts';
import { valueAt } from './paths.ts';
import { parseSort, sortItems } from './sort.ts';
import { setAt, unsetAt } from './update-paths.ts';
import type { Doc } from './values.ts';
import { clone, display, isDoc, isLong, isNumber, toInteger, typeName } from './values.ts';

/** Changes the document at a plain path. */
type Change = (doc: Doc, path: string[]) => void;

/** An operator: checks its operand once, then changes documents. */
type Modifier = (operand: unknown, path: string) => Change;

/** The update operators that this database knows. */
export const modifiers: Record<string, Modifier> = {
  $set: (operand) => (doc, path) => setAt(doc, path, clone(operand)),
  $setOnInsert: (operand) => (doc, path) => setAt(doc, path, clone(operand)),
  $unset: () => (doc, path) => unsetAt(doc, path),
  $inc: increment,
  $min: (operand) => replaceIf((order) => order < 0, operand),
  $max: (operand) => replaceIf((order) => order > 0, operand),
  $rename: renameTo,
  $push: push,
  $addToSet: addToSet,
  $pull: pull,
};

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

function replaceIf(wins: (order: number) => boolean, operand: unknown): Change {
  return (doc, path) => {
    const value = valueAt(doc, path);
    if (value === undefined || wins(compare(operand, value))) setAt(doc, path, clone(operand));
  };
}

function renameTo(operand: unknown, path: string): Change {
  if (typeof operand !== 'string')
    throw new Fault(2, `The 'to' field for $rename must be a string: ${path}: ${display(operand)}`);
  if (operand === path) throw new Fault(2, `The source and target field for $rename must differ: ${path}`);
  const target = operand.split('.');
  return (doc, from) => {
    const value = valueAt(doc, from);
    if (value === undefined) return;
    unsetAt(doc, from);
    setAt(doc, target, value);
  };
}

/** The array to change at a path: the one there, or a new one that is put there. */
function arrayAt(doc: Doc, path: string[], name: string): unknown[] {
  const value = valueAt(doc, path);
  if (value === undefined) {
    const array: unknown[] = [];
    setAt(doc, path, array);
    return array;
  }
  if (!Array.isArray(value)) {
    throw new Fault(
      2,
      `The field '${path.join('.')}' must be an array but is of type ${typeName(value)} in document {_id: ${display(doc._id)}} (${name})`,
    );
  }
  return value;
}

function eachOf(name: string, operand: unknown): unknown[] {
  if (!isDoc(operand) || !('$each' in operand)) return [operand];
  if (!Array.isArray(operand.$each)) {
    throw new Fault(
      name === '$push' ? 2 : 14,
      `The argument to $each in ${name} must be an array but it was of type ${typeName(operand.$each)}`,
    );
  }
  return operand.$each;
}

function push(operand: unknown, path: string): Change {
  const values = eachOf('$push', operand);
  const options: Doc = isDoc(operand) && '$each' in operand ? operand : {};
  const unknown = Object.keys(options).find((name) => !['$each', '$slice', '$sort', '$position'].includes(name));
  if (unknown !== undefined) throw new Fault(2, `Unrecognized clause in $push: ${unknown}`);
  const position = options.$position === undefined ? undefined : toInteger(options.$position, '$position');
  const slice = options.$slice === undefined ? undefined : toInteger(options.$slice, '$slice');
  const sorted = options.$sort === undefined ? undefined : pushSort(options.$sort);
  return (doc, at) => {
    const array = arrayAt(doc, at, path);
    array.splice(position ?? array.length, 0, ...values.map(clone));
    const ordered = sorted === undefined ? array : sorted(array);
    const kept = slice === undefined ? ordered : slice < 0 ? ordered.slice(slice) : ordered.slice(0, slice);
    setAt(doc, at, kept);
  };
}

function pushSort(operand: unknown): (array: unknown[]) => unknown[] {
  if (isDoc(operand)) {
    const sort = parseSort(operand);
    if (sort === undefined) throw new Fault(2, 'The $sort pattern is empty when it should be a set of fields.');
    return (array) => sortItems(array, (element) => (isDoc(element) ? element : {}), sort);
  }
  const direction = toInteger(operand, '$sort');
  if (direction !== 1 && direction !== -1) throw new Fault(2, 'The $sort element value must be either 1 or -1');
  return (array) => array.toSorted((a, b) => direction * compare(a, b));
}

function addToSet(operand: unknown, path: string): Change {
  const values = eachOf('$addToSet', operand);
  return (doc, at) => {
    const array = arrayAt(doc, at, path);
    for (const value of values) {
      if (!array.some((element) => compare(element, value) === 0)) array.push(clone(value));
    }
  };
}

function pull(operand: unknown, path: string): Change {
  if (isDoc(operand)) return removing(path, elementTest(operand));
  return removing(path, (element) => compare(element, operand) === 0);
}

function removing(path: string, test: (element: unknown) => boolean): Change {
  return (doc, at) => {
    const array = valueAt(doc, at);
    if (array === undefined) return;
    if (!Array.isArray(array)) throw new Fault(2, `Cannot apply $pull to a non-array value (${path})`);
    setAt(
      doc,
      at,
      array.filter((element) => !test(element)),
    );
  };
}
