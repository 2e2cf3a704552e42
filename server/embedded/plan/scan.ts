import { type SortSpec, sortItems } from '../query/sort.ts';
import type { Collection } from '../storage/collection.ts';
import type { Storage } from '../storage/storage.ts';
import type { Doc } from '../values/document.ts';
import { selectionOf } from '../values/raw.ts';
import { FIRST_PORTION, planEntries } from './entries.ts';
import { docOf, type Found, partOf } from './found.ts';
import type { IndexPlan, Plan, UnionPlan } from './plan.ts';

/** What a query has looked at, for `explain`, and how many entries it may look at before it gives up. */
export interface Examined {
  keys: number;
  docs: number;
  limit: number;
}

/** The count of a query that has not begun. */
export function nothingExamined(): Examined {
  return { keys: 0, docs: 0, limit: Infinity };
}

/** What the scans of one query share. */
export interface Scan {
  storage: Storage;
  collection: Collection;
  examined: Examined;
  /** What is found is decoded in any case. */
  decodes: boolean;
  /** Called before each further portion of entries. Throws if the query must end. */
  checkAlive(): void;
}

/**
 * Runs a plan lazily: nothing is read before it is asked for. Only an order that no index gives is made in memory.
 * @param wanted how many documents are asked for, skipped ones included
 */
export function* runPlan(scan: Scan, plan: Plan, sort: SortSpec | undefined, wanted: number): Generator<Found> {
  const isInOrder = sort === undefined || plan.isSorted;
  const first = isInOrder ? Math.min(Math.max(wanted, 1), FIRST_PORTION) : FIRST_PORTION;
  const items = plan.kind === 'union' ? union(scan, plan, first) : indexScan(scan, plan, seenBy(plan), first);
  if (isInOrder) yield* items;
  else yield* sortItems(items, sortedPart(sort), sort, wanted);
}

function* union(scan: Scan, { branches }: UnionPlan, first: number): Generator<Found> {
  const seen = new Set<string>();
  for (const branch of branches) yield* indexScan(scan, branch, seen, first);
}

/** The fields of a found document by which it is sorted. */
export function sortedPart(sort: SortSpec): (found: Found) => Doc {
  const fields = selectionOf(
    sort.map(({ parts }) => parts[0]!),
    true,
  );
  return (found) => partOf(found, fields);
}

/** What an index scan finds, tested by what the index does not answer. With `seen`, each document once. */
function* indexScan(scan: Scan, plan: IndexPlan, seen: Set<string> | undefined, first: number): Generator<Found> {
  const { storage, collection, examined } = scan;
  const { prefix } = collection.primary;
  const passes = residualTest(plan, scan.decodes);
  for (const { key, value } of planEntries(storage, plan, first, scan.checkAlive)) {
    examined.keys++;
    if (examined.keys > examined.limit) return;
    const id = plan.index.primary ? key.subarray(prefix.length) : value;
    if (seen !== undefined) {
      const text = id.toString('latin1');
      if (seen.has(text)) continue;
      seen.add(text);
    }
    const raw = plan.index.primary ? value : storage.get(Buffer.concat([prefix, id]));
    // Removed between two portions of the scan.
    if (raw === undefined) continue;
    examined.docs++;
    const item: Found = { raw, doc: undefined };
    if (passes(item)) yield item;
  }
}

/** The test of what a plan's index does not answer. */
function residualTest({ residual }: IndexPlan, decodes: boolean): (found: Found) => boolean {
  if (residual === undefined) return () => true;
  const { test, reads } = residual;
  if (reads === undefined || decodes) return (found) => test(docOf(found));
  const fields = selectionOf(reads, true);
  return (found) => test(partOf(found, fields));
}

function seenBy(plan: IndexPlan): Set<string> | undefined {
  return plan.index.multikey.includes(true) ? new Set() : undefined;
}

/** How many documents match, if the index alone answers the whole filter; otherwise undefined. */
export function countByIndex(storage: Storage, plan: Plan): number | undefined {
  if (plan.kind === 'union' || plan.residual !== undefined || seenBy(plan) !== undefined) return undefined;
  return plan.ranges.reduce((sum, range) => sum + storage.count(range), 0);
}
