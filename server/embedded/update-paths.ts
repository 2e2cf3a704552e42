import { Fault } from './errors.ts';
import { isIndex, valueAt } from './paths.ts';
import type { Doc } from './values.ts';
import { display, field, isDoc, setField } from './values.ts';

/** The longest gap that a write beyond an array's end may fill with nulls, as MongoDB limits it. */
const MAX_PADDING = 1_500_000;

/** What `$`, `$[]` and `$[name]` in a path stand for. */
export interface Positions {
  /** The index of the array element that the query matched, for `$`. */
  matched(arrayPath: string[]): number | undefined;
  /** The tests of `arrayFilters` by name. */
  filters: ReadonlyMap<string, (element: unknown) => boolean>;
}

/**
 * The plain paths that an update's path stands for in this document.
 * @throws Fault BadValue if a positional operator has nothing to go by
 */
export function concretePaths(doc: Doc, parts: string[], positions: Positions): string[][] {
  const at = parts.findIndex((part) => part === '$' || part.startsWith('$['));
  if (at < 0) return [parts];
  const before = parts.slice(0, at);
  const part = parts[at]!;
  const array = valueAt(doc, before);
  const go = (index: number) => concretePaths(doc, [...before, String(index), ...parts.slice(at + 1)], positions);
  if (part === '$') {
    const index = positions.matched(before);
    if (index === undefined) {
      throw new Fault(2, 'The positional operator did not find the match needed from the query.');
    }
    return go(index);
  }
  if (array === undefined) {
    throw new Fault(2, `The path '${before.join('.')}' must exist in the document in order to apply array updates.`);
  }
  if (!Array.isArray(array))
    throw new Fault(2, `Cannot apply array updates to non-array element ${before.join('.')}: ${display(array)}`);
  const name = part.slice(2, -1);
  const test = name === '' ? () => true : positions.filters.get(name);
  if (test === undefined)
    throw new Fault(2, `No array filter found for identifier '${name}' in path '${parts.join('.')}'`);
  return array.flatMap((element, index) => (test(element) ? go(index) : []));
}

/**
 * Sets the value at a plain path, making the documents on the way.
 * @throws Fault PathNotViable if something on the way is neither document nor array
 */
export function setAt(doc: Doc, parts: string[], value: unknown): void {
  let current: unknown = doc;
  for (const [at, part] of parts.entries()) {
    const isLast = at === parts.length - 1;
    if (Array.isArray(current)) {
      if (!isIndex(part)) throw notViable(parts, at, current);
      const index = Number(part);
      if (index > current.length + MAX_PADDING)
        throw new Fault(28, `cannot fill more than ${MAX_PADDING} array elements`);
      while (current.length < index) current.push(null);
      if (isLast) current[index] = value;
      else if (index >= current.length) current.push({});
      current = current[index];
    } else if (isDoc(current)) {
      if (isLast) setField(current, part, value);
      else if (!Object.hasOwn(current, part)) setField(current, part, {});
      current = field(current, part);
    } else throw notViable(parts, at, current);
  }
}

function notViable(parts: string[], at: number, value: unknown): Fault {
  const parent = parts[at - 1] ?? '';
  return new Fault(28, `Cannot create field '${parts[at]}' in element {${parent}: ${display(value)}}`);
}

/** Removes what is at a plain path; an array's element becomes null, so that the others keep their place. */
export function unsetAt(doc: Doc, parts: string[]): void {
  const parent = valueAt(doc, parts.slice(0, -1));
  const last = parts[parts.length - 1]!;
  if (Array.isArray(parent)) {
    if (isIndex(last) && Number(last) < parent.length) parent[Number(last)] = null;
  } else if (isDoc(parent)) delete parent[last];
}
