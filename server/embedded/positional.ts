import type { Filter } from './match.ts';
import { valueAt } from './paths.ts';
import { setAt } from './update-paths.ts';
import type { Doc } from './values.ts';
import { clone } from './values.ts';

/**
 * What `$` stands for in a path: the first element with which alone in its array the document still matches the query.
 * Undefined if the query asks nothing of the array.
 */
export function matchedIndex(doc: Doc, arrayPath: string[], filter: Filter): number | undefined {
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
