import { type Doc, field, isDoc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { isIndex } from '../values/paths.ts';
import { EMPTY_ARRAY } from '../values/type-order.ts';

/** What a document contributes to an index. */
export interface IndexKeys {
  /** A tuple of values for each entry. Missing fields are `undefined`. */
  tuples: unknown[][];
  /** Which fields of the index went through an array. */
  multikey: boolean[];
}

/** `multikey` where no field met an array. */
const NO_ARRAY: boolean[] = [];

/** How far the walk along one field's path has come. */
interface Step {
  value: unknown;
  rest: string[];
  /** The value is an array's element. An array inside an array is not expanded. */
  element: boolean;
}

/**
 * The values by which an index over `paths` holds the document. An array gives an entry for each of its elements; fields
 * below the same array vary together. Source: MongoDB manual, "Multikey Indexes".
 * @throws Fault CannotIndexParallelArrays if two fields go through different arrays
 */
export function indexKeys(doc: Doc, paths: string[][]): IndexKeys {
  return topLevelKeys(doc, paths) ?? expandedKeys(doc, paths);
}

/** The usual case, fast: top level fields, at most one of them an array. */
function topLevelKeys(doc: Doc, paths: string[][]): IndexKeys | undefined {
  let array = -1;
  const values: unknown[] = [];
  for (let at = 0; at < paths.length; at++) {
    const path = paths[at]!;
    if (path.length > 1) return undefined;
    const value = field(doc, path[0]!);
    if (Array.isArray(value)) {
      if (array >= 0 || value.length === 0) return undefined;
      array = at;
    }
    values.push(value);
  }
  if (array < 0) return { tuples: [values], multikey: NO_ARRAY };
  return {
    tuples: (values[array] as unknown[]).map((element) => values.with(array, element)),
    multikey: paths.map((_, at) => at === array),
  };
}

function expandedKeys(doc: Doc, paths: string[][]): IndexKeys {
  const found: IndexKeys = { tuples: [], multikey: paths.map(() => false) };
  expand(
    paths.map((rest) => ({ value: doc, rest, element: false })),
    found,
  );
  return found;
}

function expand(start: Step[], found: IndexKeys): void {
  const steps = start.map(walk);
  let array: unknown[] | undefined;
  for (const { value, element } of steps) {
    if (!Array.isArray(value) || element) continue;
    if (array !== undefined && array !== value) throw new Fault(171, 'cannot index parallel arrays');
    array = value;
  }
  if (array === undefined) {
    found.tuples.push(steps.map(({ value }) => value));
    return;
  }
  steps.forEach(({ value }, index) => {
    if (value === array) found.multikey[index] = true;
  });
  if (array.length === 0) {
    expand(
      steps.map((step) => (step.value === array ? emptied(step) : step)),
      found,
    );
    return;
  }
  for (const value of array) {
    expand(
      steps.map((step) => (step.value === array ? { value, rest: step.rest, element: true } : step)),
      found,
    );
  }
}

function emptied({ rest }: Step): Step {
  return { value: rest.length === 0 ? EMPTY_ARRAY : undefined, rest: [], element: true };
}

/** Follows the path until it ends, meets an array to expand, or finds nothing. */
function walk({ value: start, rest: path, element: isElement }: Step): Step {
  let value = start;
  let element = isElement;
  let at = 0;
  while (at < path.length) {
    const part = path[at]!;
    if (isDoc(value)) value = field(value, part);
    else if (Array.isArray(value) && isIndex(part)) value = value[Number(part)];
    else if (Array.isArray(value) && !element) break;
    else return { value: undefined, rest: [], element: true };
    element = false;
    at++;
  }
  return { value, rest: path.slice(at), element };
}
