import type { Filter } from '../query/filter.ts';
import { clone, type Doc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { valueAt } from '../values/paths.ts';
import { setAt } from './set-path.ts';

/**
 * An update's path with `$` replaced by the index of the element that the query matched.
 * @param doc the document as the query found it
 * @throws Fault BadValue if the query matched no element of the array
 */
export function concretePath(parts: string[], doc: Doc, filter: Filter): string[] {
  const at = parts.indexOf('$');
  if (at < 0) return parts;
  const before = parts.slice(0, at);
  const index = matchedIndex(doc, before, filter);
  if (index === undefined) {
    throw new Fault(2, 'The positional operator did not find the match needed from the query.');
  }
  return concretePath([...before, String(index), ...parts.slice(at + 1)], doc, filter);
}

/**
 * The first element that, alone in its array, still lets the document match the query. Undefined if there is none, or if
 * the query says nothing about the array.
 */
function matchedIndex(doc: Doc, arrayPath: string[], filter: Filter): number | undefined {
  const array = valueAt(doc, arrayPath);
  const path = arrayPath.join('.');
  const isAsked = filter.conditions.some((c) => c.path === path || c.path.startsWith(`${path}.`) || c.path === '');
  if (!Array.isArray(array) || !(isAsked || filter.ors.length > 0)) return undefined;
  const trial = clone(doc);
  const index = array.findIndex((element) => {
    setAt(trial, arrayPath, [element]);
    return filter.test(trial);
  });
  return index < 0 ? undefined : index;
}
