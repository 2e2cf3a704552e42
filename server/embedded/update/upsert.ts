import type { Condition, Filter } from '../query/filter.ts';
import { clone, type Doc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { setAt } from './set-path.ts';

/**
 * The document that an upsert begins with: the fields that the query fixes by equality.
 * @throws Fault NotSingleValueField if the query gives two values for a field
 */
export function upsertSeed(filter: Filter): Doc {
  const doc: Doc = {};
  const paths: string[] = [];
  for (const { path, operand } of equalities(filter)) {
    if (paths.includes(path)) {
      throw new Fault(54, `cannot infer query fields to set, path '${path}' is matched twice`);
    }
    paths.push(path);
    setAt(doc, path.split('.'), clone(operand));
  }
  return doc;
}

/** The `_id` that the query fixes by equality, if it does. */
export function upsertId(filter: Filter): unknown {
  return equalities(filter).find(({ path }) => path === '_id')?.operand;
}

function equalities(filter: Filter): Condition[] {
  return filter.conditions.filter(({ op }) => op === '$eq');
}
