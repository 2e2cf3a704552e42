import { boundsOf, keyRange, pointBytes } from './bounds.ts';
import type { Collection, Index } from './catalog.ts';
import { Fault } from './errors.ts';
import { compare } from './keys.ts';
import type { Condition, Filter } from './match.ts';
import { allOf } from './match.ts';
import { isIndex } from './paths.ts';
import type { SortSpec } from './sort.ts';
import type { Range } from './storage.ts';
import { under } from './storage.ts';
import type { Doc } from './values.ts';
import { display, isDoc, isTruthy, typeAliases, typeName } from './values.ts';

/** Point intervals of several fields multiply; beyond this many ranges the rest is left to the filter. */
const MAX_RANGES = 4000;

/** A scan of one index (or, by its primary index, of the whole collection). */
export interface IndexPlan {
  kind: 'index';
  index: Index;
  ranges: Range[];
  /** Where in the keys of each range the order begins that a merge goes by. */
  orderedFrom: number[];
  reverse: boolean;
  /** The entries come in the wanted order, once the ranges are merged. */
  sorted: boolean;
  /** Several ranges have to be merged for that. */
  merges: boolean;
  /** The test for what the ranges do not answer; undefined if they answer the whole filter. */
  residual: Filter | undefined;
  /** The conditions that bound the scan. */
  bounding: Set<Condition>;
  /** Finds one document at most: all fields of a unique index are bound by equality. */
  isOne: boolean;
  /** How good the plan looks, more is better. */
  score: number;
}

/** The union of several scans, one for each alternative of an `$or`. */
export interface UnionPlan {
  kind: 'union';
  branches: IndexPlan[];
  sorted: false;
}

export type Plan = IndexPlan | UnionPlan;

/**
 * The ways to find what matches that are worth a try, the one that looks best first: scans of indexes bound by
 * conditions or in the wanted order, as far as no other does better in both; a union of scans for an `$or`; else a scan
 * of the collection.
 * @throws Fault BadValue if the hint names no index
 */
export function planQuery(collection: Collection, filter: Filter, sort?: SortSpec, hint?: unknown): [Plan, ...Plan[]] {
  const hinted = hint === undefined ? undefined : hintedIndex(collection, hint);
  if (hinted === 'natural') return [scanOf(collection, filter, sort)];
  if (hinted !== undefined) return [indexPlan(hinted, filter, sort)];
  const usable = collection.indexes
    .filter((index) => isUsable(index, filter))
    .map((index) => indexPlan(index, filter, sort))
    .filter((plan) => plan.bounding.size > 0 || (sort !== undefined && plan.sorted))
    .sort((a, b) => b.score - a.score);
  const plans = usable.filter((plan, at) => !usable.slice(0, at).some((better) => isAtLeast(better, plan)));
  const [best, ...others] = plans;
  if (best !== undefined && best.bounding.size > 0) return best.isOne ? [best] : [best, ...others];
  return [unionPlan(collection, filter) ?? best ?? scanOf(collection, filter, sort)];
}

/** Whether the one plan has all the bounds that the other has, and its order. */
function isAtLeast(one: IndexPlan, other: IndexPlan): boolean {
  return (one.sorted || !other.sorted) && [...other.bounding].every((condition) => one.bounding.has(condition));
}

function scanOf(collection: Collection, filter: Filter, sort: SortSpec | undefined): IndexPlan {
  return indexPlan(collection.primary, { ...filter, conditions: [], ors: [] }, sort, filter);
}

function unionPlan(collection: Collection, filter: Filter): UnionPlan | undefined {
  for (const alternatives of filter.ors) {
    const rest = { ...filter, ors: filter.ors.filter((or) => or !== alternatives) };
    const branches = alternatives.map(
      (alternative) => planQuery(collection, allOf([alternative, restOf(rest, filter)]))[0],
    );
    const scans = branches.filter((branch): branch is IndexPlan => branch.kind === 'index' && branch.bounding.size > 0);
    if (scans.length === branches.length) return { kind: 'union', branches: scans, sorted: false };
  }
  return undefined;
}

/** The other conjuncts beside an `$or`: their test is the whole filter's, which holds for each match anyway. */
function restOf(rest: Filter, whole: Filter): Filter {
  const isAll = rest.conditions.length === 0 && rest.ors.length === 0;
  return { test: isAll ? () => true : whole.test, conditions: rest.conditions, ors: rest.ors };
}

function hintedIndex(collection: Collection, hint: unknown): Index | 'natural' {
  if (isDoc(hint) && '$natural' in hint) return 'natural';
  const found = collection.indexes.find((index) =>
    typeof hint === 'string' ? index.name === hint : isDoc(hint) && display(index.spec.key) === display(hint),
  );
  if (found === undefined)
    throw new Fault(2, 'error processing query: hint provided does not correspond to an existing index');
  return found;
}

/** Whether the index has an entry for everything that the filter can match. */
function isUsable(index: Index, filter: Filter): boolean {
  if (index.parts.some((parts) => parts.some(isIndex))) return false;
  if (index.partial !== undefined && !isImplied(index.partial, filter)) return false;
  return !index.sparse || filter.conditions.some((c) => index.paths.includes(c.path) && demandsField(c));
}

function isImplied(partial: Filter, filter: Filter): boolean {
  if (partial.ors.length > 0) return false;
  return partial.conditions.every((wanted) =>
    filter.conditions.some((given) => given.path === wanted.path && implies(given, wanted)),
  );
}

/** Whether a document that meets the condition has the field, and not as null. */
function demandsField({ op, operand }: Condition): boolean {
  switch (op) {
    case '$exists':
      return isTruthy(operand);
    case '$in':
      return !(operand as unknown[]).includes(null);
    case '$eq':
    case '$gte':
    case '$lte':
      return operand !== null;
    case '$type':
    case '$gt':
    case '$lt':
    case '$regex':
      return true;
    default:
      return false;
  }
}

/** Whether whatever meets `given` meets `wanted`, as far as the partial filter expressions of indexes need it. */
function implies(given: Condition, wanted: Condition): boolean {
  if (given.op === wanted.op && display(given.operand) === display(wanted.operand)) return true;
  if (given.op === '$in') {
    const values = given.operand as unknown[];
    return values.every((operand) => implies({ ...given, op: '$eq', operand }, wanted));
  }
  switch (wanted.op) {
    case '$exists':
      return isTruthy(wanted.operand) && demandsField(given);
    case '$eq':
      return given.op === '$eq' && isSame(given.operand, wanted.operand);
    case '$in':
      return given.op === '$eq' && (wanted.operand as unknown[]).some((value) => isSame(given.operand, value));
    case '$type':
      return hasType(given, (Array.isArray(wanted.operand) ? wanted.operand : [wanted.operand]).flatMap(typeAliases));
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return impliesComparison(given, wanted);
    default:
      return false;
  }
}

function isSame(a: unknown, b: unknown): boolean {
  return !Array.isArray(a) && compare(a, b) === 0;
}

/** Whether the condition fixes its value's type. Numbers compare across their types: they fix none of them. */
function hasType({ op, operand }: Condition, aliases: string[]): boolean {
  if (!['$eq', '$gt', '$gte', '$lt', '$lte'].includes(op) || operand === null || Array.isArray(operand)) return false;
  const type = typeName(operand);
  const types = ['int', 'long', 'double', 'decimal'].includes(type) ? ['int', 'long', 'double', 'decimal'] : [type];
  return types.every((each) => aliases.includes(each));
}

function impliesComparison(given: Condition, wanted: Condition): boolean {
  const upward = wanted.op === '$gt' || wanted.op === '$gte';
  const allowed = upward ? ['$eq', '$gt', '$gte'] : ['$eq', '$lt', '$lte'];
  if (!allowed.includes(given.op) || Array.isArray(given.operand) || given.operand === null) return false;
  if (!hasType(given, typeAliasesLike(wanted.operand))) return false;
  const order = compare(given.operand, wanted.operand) * (upward ? 1 : -1);
  const strict = wanted.op === '$gt' || wanted.op === '$lt';
  return order > 0 || (order === 0 && (!strict || given.op === wanted.op));
}

function typeAliasesLike(operand: unknown): string[] {
  const type = typeName(operand);
  return ['int', 'long', 'double', 'decimal'].includes(type) ? typeAliases('number') : [type];
}

function indexPlan(index: Index, filter: Filter, sort: SortSpec | undefined, residual = filter): IndexPlan {
  let prefixes: { bytes: Buffer; starts: number[] }[] = [{ bytes: index.prefix, starts: [] }];
  let ranges: Range[] | undefined;
  const answered = new Set<Condition>();
  const bounding = new Set<Condition>();
  const constant = new Set<string>();
  let points = 0;
  let metArray = false;
  let score = 0;
  for (const [at, path] of index.paths.entries()) {
    // Fields under the same array: one element may meet the one condition, another element the other.
    if (metArray && index.multikey[at]) break;
    const conditions = filter.conditions.filter((condition) => condition.path === path);
    const bounds = boundsOf(conditions, index.multikey[at]!);
    if (bounds === undefined || prefixes.length * bounds.intervals.length > MAX_RANGES) break;
    if (index.multikey[at]) metArray = true;
    for (const condition of bounds.answered) answered.add(condition);
    for (const condition of bounds.used) bounding.add(condition);
    const direction = index.directions[at]!;
    const isPoints = bounds.intervals.every((interval) => interval.point);
    score += isPoints ? 10 - Math.min(bounds.intervals.length - 1, 3) : 4;
    if (isPoints) {
      if (bounds.intervals.length === 1) constant.add(path);
      const intervals = direction > 0 ? bounds.intervals : bounds.intervals.toReversed();
      prefixes = prefixes.flatMap(({ bytes, starts }) =>
        intervals.map((interval) => ({
          bytes: Buffer.concat([bytes, pointBytes(interval, direction)]),
          starts: [...starts, bytes.length],
        })),
      );
      points++;
    } else {
      const intervals = direction > 0 ? bounds.intervals : bounds.intervals.toReversed();
      ranges = prefixes.flatMap(({ bytes }) => intervals.map((interval) => keyRange(bytes, interval, direction)));
      prefixes = prefixes.flatMap((prefix) => intervals.map(() => prefix));
      break;
    }
  }
  const isOne = (index.unique || index.primary) && constant.size === index.paths.length;
  if (isOne) score += 100;
  const order = sort === undefined ? undefined : orderOf(index, sort, constant, points);
  const isAnswered = residual === filter && filter.ors.length === 0 && filter.conditions.every((c) => answered.has(c));
  return {
    kind: 'index',
    index,
    ranges: ranges ?? prefixes.map(({ bytes }) => under(bytes)),
    orderedFrom: prefixes.map(({ bytes, starts }) => starts[order?.from ?? 0] ?? bytes.length),
    reverse: order?.reverse ?? false,
    sorted: sort === undefined || order !== undefined,
    merges: order !== undefined && prefixes.length > 1,
    residual: isAnswered ? undefined : residual,
    bounding,
    isOne,
    score: score + (order === undefined ? 0 : 5),
  };
}

/**
 * Whether the index gives the wanted order: its fields behind the points (or from one of them on) are the fields to
 * sort by, all in their direction or all in the opposite one. Fields fixed to one value order nothing.
 */
function orderOf(
  index: Index,
  sort: SortSpec,
  constant: Set<string>,
  points: number,
): { from: number; reverse: boolean } | undefined {
  const wanted = sort.filter(({ path }) => !constant.has(path));
  if (wanted.length === 0) return { from: index.paths.length, reverse: false };
  for (let from = 0; from <= points; from++) {
    const fits = wanted.every(({ path }, at) => index.paths[from + at] === path && !index.multikey[from + at]);
    if (!fits) continue;
    const turned = wanted.map(({ direction }, at) => direction !== index.directions[from + at]);
    if (turned.every((each) => each === turned[0])) return { from, reverse: turned[0]! };
  }
  return undefined;
}

/** Whether the plan goes through all documents of the collection. */
export function isCollectionScan(plan: Plan): boolean {
  return plan.kind === 'index' && plan.index.primary && plan.bounding.size === 0;
}

/** The plan in the form of MongoDB's `explain`: `queryPlanner.winningPlan` without sort, skip and limit. */
export function describePlan(plan: Plan): Doc {
  if (plan.kind === 'union') {
    return { stage: 'FETCH', inputStage: { stage: 'OR', inputStages: plan.branches.map(describeScan) } };
  }
  if (isCollectionScan(plan)) return { stage: 'COLLSCAN', direction: plan.reverse ? 'backward' : 'forward' };
  return { stage: 'FETCH', inputStage: describeScan(plan) };
}

function describeScan(plan: IndexPlan): Doc {
  const { index } = plan;
  const scan = {
    stage: 'IXSCAN',
    keyPattern: index.spec.key,
    indexName: index.name,
    isMultiKey: index.multikey.includes(true),
    isUnique: index.unique || index.primary,
    isSparse: index.sparse,
    isPartial: index.partial !== undefined,
    direction: plan.reverse ? 'backward' : 'forward',
  };
  return plan.merges ? { stage: 'SORT_MERGE', inputStages: [scan] } : scan;
}
