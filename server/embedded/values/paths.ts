import { field, isDoc } from './document.ts';

/** Whether a component of a path can name an element of an array. */
export function isIndex(part: string): boolean {
  return /^(0|[1-9]\d{0,8})$/.test(part);
}

/**
 * Every value that a dotted path reaches. Arrays on the way are searched: their documents, and the element that a
 * numeric component names. An array at the end of the path is one value. Where a document lacks the field, the path
 * reaches `undefined`. Source: MongoDB manual, "Query on Embedded/Nested Documents" and "Query an Array".
 */
export function reach(value: unknown, parts: string[], at = 0, found: unknown[] = []): unknown[] {
  if (at === parts.length) {
    found.push(value);
    return found;
  }
  const part = parts[at]!;
  if (Array.isArray(value)) {
    if (isIndex(part) && Number(part) < value.length) reach(value[Number(part)], parts, at + 1, found);
    for (const element of value) if (isDoc(element)) reach(element, parts, at, found);
  } else if (isDoc(value)) reach(field(value, part), parts, at + 1, found);
  else found.push(undefined);
  return found;
}

/** The value at a path that enters arrays only by index. Undefined if there is none. */
export function valueAt(value: unknown, parts: string[]): unknown {
  let current = value;
  for (const part of parts) {
    if (isDoc(current)) current = field(current, part);
    else if (Array.isArray(current) && isIndex(part)) current = current[Number(part)];
    else return undefined;
  }
  return current;
}
