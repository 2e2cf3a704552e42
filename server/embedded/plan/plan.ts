import type { Condition, Filter } from '../query/filter.ts';
import type { Index } from '../storage/collection.ts';
import type { Range } from '../storage/range.ts';

/** A scan of one index. The primary index is the collection itself. */
export interface IndexPlan {
  kind: 'index';
  index: Index;
  ranges: Range[];
  /** For each range, the offset in its keys from which they are compared when ranges are merged. */
  orderedFrom: number[];
  isReverse: boolean;
  /** The entries come in the wanted order, once the ranges are merged. */
  isSorted: boolean;
  /** The wanted order needs several ranges to be merged. */
  isMerged: boolean;
  /** The test for what the ranges do not answer. Undefined if they answer the whole filter. */
  residual: Filter | undefined;
  /** The conditions that bound the scan. */
  bounding: Set<Condition>;
  /** All fields of a unique index are bound by equality, so it finds at most one document. */
  isOne: boolean;
  /** How good the plan looks. More is better. */
  score: number;
}

/** The union of several scans, one for each alternative of an `$or`. */
export interface UnionPlan {
  kind: 'union';
  branches: IndexPlan[];
  isSorted: false;
}

export type Plan = IndexPlan | UnionPlan;

/** Whether the plan reads all documents of the collection. */
export function isCollectionScan(plan: Plan): boolean {
  return plan.kind === 'index' && plan.index.primary && plan.bounding.size === 0;
}
