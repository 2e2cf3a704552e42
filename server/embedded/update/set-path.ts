import { display } from '../values/display.ts';
import { type Doc, field, isDoc, setField } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { isIndex, valueAt } from '../values/paths.ts';

/** The longest gap, in elements, that a write beyond the end of an array may fill with nulls. MongoDB's limit. */
const MAX_PADDING = 1_500_000;

/**
 * Sets the value at a path without `$` and makes the documents on the way.
 * @throws Fault PathNotViable if something on the way is neither a document nor an array
 */
export function setAt(doc: Doc, parts: string[], value: unknown): void {
  let current: unknown = doc;
  for (const [at, part] of parts.entries()) {
    const isLast = at === parts.length - 1;
    if (Array.isArray(current)) {
      if (!isIndex(part)) throw notViable(parts, at, current);
      const index = Number(part);
      if (index > current.length + MAX_PADDING) {
        throw new Fault(28, `cannot fill more than ${MAX_PADDING} array elements`);
      }
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

/** Removes what is at a path without `$`. An element of an array becomes null, so that the others keep their places. */
export function unsetAt(doc: Doc, parts: string[]): void {
  const parent = valueAt(doc, parts.slice(0, -1));
  const last = parts[parts.length - 1]!;
  if (Array.isArray(parent)) {
    if (isIndex(last) && Number(last) < parent.length) parent[Number(last)] = null;
  } else if (isDoc(parent)) delete parent[last];
}
