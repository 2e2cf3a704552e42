import { elementTest } from '../query/match.ts';
import { parseSort, sortItems } from '../query/sort.ts';
import { compare } from '../values/compare.ts';
import { display } from '../values/display.ts';
import { clone, type Doc, isDoc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { toInteger } from '../values/integer.ts';
import { valueAt } from '../values/paths.ts';
import { typeName } from '../values/types.ts';
import { setAt } from './set-path.ts';
import type { Change, Modifier } from './types.ts';

/** The array at a path. Where there is none, an empty one is put there. */
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

/** The values of `{ $each: [...] }`, or the operand as the only value. */
function eachOf(name: '$push' | '$addToSet', operand: unknown): unknown[] {
  if (!isDoc(operand) || !('$each' in operand)) return [operand];
  if (!Array.isArray(operand.$each)) {
    throw new Fault(
      name === '$push' ? 2 : 14,
      `The argument to $each in ${name} must be an array but it was of type ${typeName(operand.$each)}`,
    );
  }
  return operand.$each;
}

function push(operand: unknown): Change {
  const values = eachOf('$push', operand);
  const options: Doc = isDoc(operand) && '$each' in operand ? operand : {};
  const unknown = Object.keys(options).find((name) => !['$each', '$slice', '$sort', '$position'].includes(name));
  if (unknown !== undefined) throw new Fault(2, `Unrecognized clause in $push: ${unknown}`);
  const position = options.$position === undefined ? undefined : toInteger(options.$position, '$position');
  const slice = options.$slice === undefined ? undefined : toInteger(options.$slice, '$slice');
  const sorted = options.$sort === undefined ? undefined : pushSort(options.$sort);
  return (doc, path) => {
    const array = arrayAt(doc, path, '$push');
    array.splice(position ?? array.length, 0, ...values.map(clone));
    const ordered = sorted === undefined ? array : sorted(array);
    const kept = slice === undefined ? ordered : slice < 0 ? ordered.slice(slice) : ordered.slice(0, slice);
    setAt(doc, path, kept);
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

function addToSet(operand: unknown): Change {
  const values = eachOf('$addToSet', operand);
  return (doc, path) => {
    const array = arrayAt(doc, path, '$addToSet');
    for (const value of values) {
      if (!array.some((element) => compare(element, value) === 0)) array.push(clone(value));
    }
  };
}

function pull(operand: unknown, field: string): Change {
  const test = isDoc(operand) ? elementTest(operand) : (element: unknown) => compare(element, operand) === 0;
  return (doc, path) => {
    const array = valueAt(doc, path);
    if (array === undefined) return;
    if (!Array.isArray(array)) throw new Fault(2, `Cannot apply $pull to a non-array value (${field})`);
    const kept = array.filter((element) => !test(element));
    setAt(doc, path, kept);
  };
}

/** The update operators on arrays, by name. */
export const arrayModifiers: Record<string, Modifier> = { $push: push, $addToSet: addToSet, $pull: pull };
