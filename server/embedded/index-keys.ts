import { Fault } from './errors.ts';
import { EMPTY_ARRAY } from './keys.ts';
import { isIndex } from './paths.ts';
import type { Doc } from './values.ts';
import { field, isDoc } from './values.ts';

export interface IndexKeys {
  /** One tuple of values per index entry; missing fields are `undefined`. */
  tuples: unknown[][];
  /** Which fields of the index ran through an array. */
  multikey: boolean[];
}

/** Where no array was met: of whichever field it is asked, the answer is no. */
const NO_ARRAY: boolean[] = [];

interface Cursor {
  value: unknown;
  rest: string[];
  /** The value is an array's element: an array in an array is not expanded again. */
  element: boolean;
}

/**
 * The entries of a document in an index over `paths`, as MongoDB builds them: an array on the way gives an entry per
 * element, fields that share an array vary together. Source: MongoDB manual, "Multikey Indexes".
 * @throws Fault CannotIndexParallelArrays if two fields run through different arrays
 */
export function indexKeys(doc: Doc, paths: string[][]): IndexKeys {
  return topLevelKeys(doc, paths) ?? expandedKeys(doc, paths);
}

/** The usual case without the detours: fields of the document itself, at most one of them an array. */
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

function expand(start: Cursor[], found: IndexKeys): void {
  const cursors = start.map(walk);
  let array: unknown[] | undefined;
  for (const { value, element } of cursors) {
    if (!Array.isArray(value) || element) continue;
    if (array !== undefined && array !== value) throw new Fault(171, 'cannot index parallel arrays');
    array = value;
  }
  if (array === undefined) {
    found.tuples.push(cursors.map(({ value }) => value));
    return;
  }
  cursors.forEach(({ value }, index) => {
    if (value === array) found.multikey[index] = true;
  });
  if (array.length === 0) {
    expand(
      cursors.map((c) => (c.value === array ? emptied(c) : c)),
      found,
    );
    return;
  }
  for (const value of array) {
    expand(
      cursors.map((c) => (c.value === array ? { value, rest: c.rest, element: true } : c)),
      found,
    );
  }
}

function emptied({ rest }: Cursor): Cursor {
  return { value: rest.length === 0 ? EMPTY_ARRAY : undefined, rest: [], element: true };
}

/** Goes down the path until it ends, meets an array to expand, or finds nothing. */
function walk({ value: start, rest: path, element: isElement }: Cursor): Cursor {
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
