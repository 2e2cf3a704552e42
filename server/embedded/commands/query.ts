import { dropFirst, take } from '../aggregate/stage.ts';
import type { Found } from '../plan/found.ts';
import type { Plan } from '../plan/plan.ts';
import { type Examined, nothingExamined, runPlan, type Scan, sortedPart } from '../plan/scan.ts';
import { choosePlan } from '../plan/trial.ts';
import type { Filter } from '../query/filter.ts';
import { createSorter, type SortSpec } from '../query/sort.ts';
import type { Collection } from '../storage/collection.ts';
import type { Engine } from '../storage/engine.ts';
import { Fault } from '../values/fault.ts';
import { forEachInSlices } from './slices.ts';

/** A query ready to run. `plan` is undefined if the collection does not exist. */
export interface Query {
  namespace: string;
  collection: Collection | undefined;
  sort: SortSpec | undefined;
  skip: number;
  limit: number;
  plan: Plan | undefined;
  examined: Examined;
}

/** What a query asks for. */
export interface QuerySpec {
  filter: Filter;
  sort?: SortSpec | undefined;
  skip?: number;
  limit?: number;
  hint?: unknown;
}

/** Chooses how to run a query on the collection. */
export function prepareQuery(
  engine: Engine,
  namespace: string,
  { filter, sort, skip = 0, limit = Infinity, hint }: QuerySpec,
): Query {
  const collection = engine.catalog.find(namespace);
  const plan =
    collection === undefined ? undefined : choosePlan(engine.storage, collection, filter, sort, skip + limit, hint);
  return { namespace, collection, sort, skip, limit, plan, examined: nothingExamined() };
}

/**
 * Runs a query lazily.
 * @param deadline when it must end, in milliseconds since the epoch; checked as the scan goes on
 */
export function runQuery(engine: Engine, query: Query, deadline = Infinity): Iterable<Found> {
  const { plan, sort, skip, limit } = query;
  const scan = scanOf(engine, query, deadline);
  if (scan === undefined || plan === undefined) return [];
  return take(dropFirst(runPlan(scan, plan, sort, skip + limit), skip), limit);
}

/** The same where no index gives the order: all that matches is found and sorted first, in slices. */
export async function runQueryInSlices(engine: Engine, query: Query, deadline = Infinity): Promise<Iterable<Found>> {
  const { plan, sort, skip, limit } = query;
  const scan = scanOf(engine, query, deadline);
  if (scan === undefined || plan === undefined || sort === undefined || plan.isSorted) {
    return runQuery(engine, query, deadline);
  }
  const sorter = createSorter(sortedPart(sort), sort, skip + limit);
  await forEachInSlices(runPlan(scan, plan, undefined, Infinity), sorter.add);
  return sorter.sorted().slice(skip);
}

/** Undefined if the collection does not exist. */
function scanOf(engine: Engine, { collection, plan, examined }: Query, deadline: number): Scan | undefined {
  if (collection === undefined || plan === undefined) return undefined;
  const checkAlive = () => {
    if (!hasIndexes(engine.catalog.find(collection.namespace), plan)) {
      throw new Fault(175, `collection dropped or its indexes changed during the query: ${collection.namespace}`);
    }
    if (performance.now() > deadline) throw new Fault(50, 'operation exceeded time limit');
  };
  return { storage: engine.storage, collection, examined, decodes: false, checkAlive };
}

/** Whether the collection still has the indexes that the plan scans. */
function hasIndexes(collection: Collection | undefined, plan: Plan): boolean {
  const scanned = plan.kind === 'union' ? plan.branches.map(({ index }) => index) : [plan.index];
  return scanned.every(({ prefix }) => collection?.indexes.some((index) => index.prefix.equals(prefix)));
}
