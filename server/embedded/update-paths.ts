import { Fault } from './errors.ts';
import { isIndex, valueAt } from './paths.ts';
import type { Doc } from './values.ts';
import { display, field, isDoc, setField } from './values.ts';

/** The longest gap that a write beyond an array's end may fill with nulls, as MongoDB limits it. */
const MAX_PADDING = 1_500_000;

/**
 * The plain path that an update's path stands for in this document.
 * @param matched the index of the array element that the query matched, for `$`
 * @throws Fault BadValue if `$` has nothing to go by
 */
export function concretePath(parts: string[], matched: (arrayPath: string[]) => number | undefined): string[] {
  const at = parts.indexOf('$');
  if (at < 0) return parts;
  const before = parts.slice(0, at);
  const index = matched(before);
  if (index === undefined) {
    throw new Fault(2, 'The positional operator did not find the match needed from the query.');
  }
  return concretePath([...before, String(index), ...parts.slice(at + 1)], matched);
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
