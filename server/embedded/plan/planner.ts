import { allOf, EVERYTHING, type Filter } from '../query/filter.ts';
import type { SortSpec } from '../query/sort.ts';
import type { Collection, Index } from '../storage/collection.ts';
import { display } from '../values/display.ts';
import { isDoc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { isUsable } from './implication.ts';
import { indexPlan } from './index-plan.ts';
import type { IndexPlan, Plan, UnionPlan } from './plan.ts';

/**
 * The plans for a query that are worth a try, the most promising first: scans of indexes that conditions bound or that
 * give the order, unless another plan is at least as good in both; a union of scans for an `$or`; a scan of the
 * collection if nothing else is left.
 * @throws Fault BadValue if the hint names no index
 */
export function planQuery(collection: Collection, filter: Filter, sort?: SortSpec, hint?: unknown): [Plan, ...Plan[]] {
  const hinted = hint === undefined ? undefined : hintedIndex(collection, hint);
  if (hinted === 'natural') return [scanOf(collection, filter, sort)];
  if (hinted !== undefined) return [indexPlan(hinted, filter, sort)];
  const one = onlyPlan(collection, filter, sort);
  if (one !== undefined) return [one];
  const bound = new Set(filter.conditions.map(({ path }) => path));
  const usable = collection.indexes
    .filter((index) => (sort !== undefined || bound.has(index.paths[0]!)) && isUsable(index, filter))
    .map((index) => indexPlan(index, filter, sort))
    .filter((plan) => plan.bounding.size > 0 || (sort !== undefined && plan.isSorted))
    .sort((a, b) => b.score - a.score);
  const plans = usable.filter((plan, at) => !usable.slice(0, at).some((better) => isAtLeast(better, plan)));
  const [best, ...others] = plans;
  if (best !== undefined && best.bounding.size > 0) return [best, ...others];
  return [unionPlan(collection, filter) ?? best ?? scanOf(collection, filter, sort)];
}

/** The plan by a unique index of which every field is bound by equality: nothing can be better. */
function onlyPlan({ indexes }: Collection, filter: Filter, sort: SortSpec | undefined): IndexPlan | undefined {
  const equal = new Set(filter.conditions.flatMap(({ path, op }) => (op === '$eq' ? [path] : [])));
  const index = indexes.find(
    ({ primary, unique, paths }) => (primary || unique) && paths.every((path) => equal.has(path)),
  );
  if (index === undefined || !isUsable(index, filter)) return undefined;
  const plan = indexPlan(index, filter, sort);
  return plan.isOne ? plan : undefined;
}

/** Whether a plan has all the bounds that the other has, and its order. */
function isAtLeast(one: IndexPlan, other: IndexPlan): boolean {
  return (one.isSorted || !other.isSorted) && [...other.bounding].every((condition) => one.bounding.has(condition));
}

function scanOf(collection: Collection, filter: Filter, sort: SortSpec | undefined): IndexPlan {
  return indexPlan(collection.primary, { ...filter, conditions: [], ors: [] }, sort, filter);
}

function unionPlan(collection: Collection, filter: Filter): UnionPlan | undefined {
  for (const alternatives of filter.ors) {
    const rest = restOf(filter, alternatives);
    const branches = alike(
      collection,
      alternatives.map((alternative) => allOf([alternative, rest])),
    );
    const scans = branches.filter((branch): branch is IndexPlan => branch.kind === 'index' && branch.bounding.size > 0);
    if (scans.length === branches.length) return { kind: 'union', branches: scans, isSorted: false };
  }
  return undefined;
}

/**
 * The best plan of each alternative. Those that ask for other values of the same fields, as one does for each of many
 * conversations, are planned like the one before: comparing all indexes for each would be most of what they cost.
 */
function alike(collection: Collection, alternatives: Filter[]): Plan[] {
  let before: { shape: string; index: Index } | undefined;
  return alternatives.map((filter) => {
    const shape = shapeOf(filter);
    if (before && before.shape === shape && isUsable(before.index, filter))
      return indexPlan(before.index, filter, undefined);
    const [plan] = planQuery(collection, filter);
    const isBound = shape !== undefined && plan.kind === 'index' && plan.bounding.size > 0;
    before = isBound ? { shape, index: plan.index } : undefined;
    return plan;
  });
}

/** Which conditions on which fields a filter has, whatever the values; undefined where it has an `$or`. */
function shapeOf({ conditions, ors }: Filter): string | undefined {
  return ors.length > 0 ? undefined : conditions.map(({ path, op }) => `${op} ${path}`).join('\n');
}

/** What the filter demands besides one `$or`. It is tested by the whole filter, since every match passes that too. */
function restOf(filter: Filter, or: Filter[]): Filter {
  const ors = filter.ors.filter((other) => other !== or);
  const isNothing = filter.conditions.length === 0 && ors.length === 0;
  return { ...(isNothing ? EVERYTHING : filter), conditions: filter.conditions, ors };
}

function hintedIndex(collection: Collection, hint: unknown): Index | 'natural' {
  if (isDoc(hint) && '$natural' in hint) return 'natural';
  const found = collection.indexes.find((index) =>
    typeof hint === 'string' ? index.name === hint : isDoc(hint) && display(index.spec.key) === display(hint),
  );
  if (found === undefined) {
    throw new Fault(2, 'error processing query: hint provided does not correspond to an existing index');
  }
  return found;
}
