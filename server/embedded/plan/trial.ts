import type { Filter } from '../query/filter.ts';
import type { SortSpec } from '../query/sort.ts';
import type { Collection } from '../storage/collection.ts';
import type { Storage } from '../storage/storage.ts';
import type { Plan } from './plan.ts';
import { planQuery } from './planner.ts';
import { runPlan } from './scan.ts';

/** A trial ends at this many results in order, as in MongoDB. */
const ENOUGH = 101;
/** Entries that each plan may look at in the first round. Each further round has four times as many. */
const FIRST_ROUND = 32;

/**
 * Chooses how to run a query. Where several plans look good (one has the bounds, another the order), each may look at a
 * growing number of entries, and the first to deliver what is wanted wins. This needs no statistics. The idea is that of
 * MongoDB's trial period (src/mongo/db/exec/multi_plan.h).
 * @param wanted how many documents are asked for, skipped ones included
 * @throws what `planQuery` throws
 */
export function choosePlan(
  storage: Storage,
  collection: Collection,
  filter: Filter,
  sort: SortSpec | undefined,
  wanted: number,
  hint?: unknown,
): Plan {
  const plans = planQuery(collection, filter, sort, hint);
  if (plans.length === 1) return plans[0];
  const enough = Math.min(wanted, ENOUGH);
  for (let budget = FIRST_ROUND; ; budget *= 4) {
    const winner = plans.find((plan) => isDone(storage, collection, plan, enough, budget));
    if (winner !== undefined) return winner;
  }
}

/** Whether the plan ends, or finds enough in the right order, within the entries that it may look at. */
function isDone(storage: Storage, collection: Collection, plan: Plan, enough: number, budget: number): boolean {
  const examined = { keys: 0, docs: 0, limit: budget };
  const scan = { storage, collection, examined, decodes: false, checkAlive: () => {} };
  let results = 0;
  for (const _ of runPlan(scan, plan, undefined, budget)) {
    results++;
    if (plan.isSorted && results >= enough) return true;
  }
  return examined.keys <= budget;
}
