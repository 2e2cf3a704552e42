import type { Collection } from './catalog.ts';
import type { Filter } from './match.ts';
import type { Plan } from './planner.ts';
import { planQuery } from './planner.ts';
import { runPlan } from './scan.ts';
import type { SortSpec } from './sort.ts';
import type { Storage } from './storage.ts';

/** Results after which a trial is decided, as MongoDB's. */
const ENOUGH = 101;
/** Entries that each plan may look at in the first round; it grows from round to round. */
const FIRST_ROUND = 32;

/**
 * Chooses how to run a query. Where several plans look good (one has the bounds, the other the order), each gets a
 * growing number of entries to look at, and the first that has what is `wanted` wins: no statistics have to be kept.
 * The idea is that of MongoDB's trial period (src/mongo/db/exec/multi_plan.h).
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
    const winner = plans.find((plan) => isDone(storage, collection, plan, sort, enough, budget));
    if (winner !== undefined) return winner;
  }
}

/** Whether the plan comes to its end, or in the right order to enough results, within the entries it may look at. */
function isDone(
  storage: Storage,
  collection: Collection,
  plan: Plan,
  sort: SortSpec | undefined,
  enough: number,
  budget: number,
): boolean {
  const examined = { keys: 0, docs: 0, limit: budget };
  let results = 0;
  for (const _ of runPlan(storage, collection, plan, plan.sorted ? sort : undefined, budget, examined, () => {})) {
    results++;
    if (plan.sorted && results >= enough) return true;
  }
  return examined.keys <= budget;
}
