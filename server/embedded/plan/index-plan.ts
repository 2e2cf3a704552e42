import type { Filter } from '../query/filter.ts';
import type { SortSpec } from '../query/sort.ts';
import type { Index } from '../storage/collection.ts';
import { type IndexBounds, indexBounds } from './index-bounds.ts';
import type { IndexPlan } from './plan.ts';

/**
 * The plan to scan an index.
 * @param residual what a found document is tested by, as far as the index does not answer it
 */
export function indexPlan(index: Index, filter: Filter, sort: SortSpec | undefined, residual = filter): IndexPlan {
  const bounds = indexBounds(index, filter.conditions);
  const { ranges, bounding, answered, constant } = bounds;
  const order = sort === undefined ? undefined : orderOf(index, sort, bounds);
  const isOne = (index.unique || index.primary) && constant.size === index.paths.length;
  const isAnswered = residual === filter && filter.ors.length === 0 && filter.conditions.every((c) => answered.has(c));
  return {
    kind: 'index',
    index,
    ranges,
    orderedFrom: bounds.fieldStarts.map((starts) => starts[order?.from ?? 0] ?? starts.at(-1)!),
    isReverse: order?.isReverse ?? false,
    isSorted: sort === undefined || order !== undefined,
    isMerged: order !== undefined && ranges.length > 1,
    residual: isAnswered ? undefined : residual,
    bounding,
    isOne,
    score: bounds.score + (isOne ? 100 : 0) + (order === undefined ? 0 : 5),
  };
}

/**
 * How the index gives the wanted order, if it does: its fields behind the points, or from one of these on, are the
 * fields to sort by, all in their direction or all in the opposite one. Fields bound to one value need no order.
 */
function orderOf(
  index: Index,
  sort: SortSpec,
  { constant, points }: IndexBounds,
): { from: number; isReverse: boolean } | undefined {
  const wanted = sort.filter(({ path }) => !constant.has(path));
  if (wanted.length === 0) return { from: index.paths.length, isReverse: false };
  for (let from = 0; from <= points; from++) {
    const fits = wanted.every(({ path }, at) => index.paths[from + at] === path && !index.multikey[from + at]);
    if (!fits) continue;
    const turned = wanted.map(({ direction }, at) => direction !== index.directions[from + at]);
    if (turned.every((each) => each === turned[0])) return { from, isReverse: turned[0]! };
  }
  return undefined;
}
