import { take } from '../aggregate/stage.ts';
import type { Found } from '../plan/found.ts';
import { nothingExamined, runPlan } from '../plan/scan.ts';
import { choosePlan } from '../plan/trial.ts';
import type { Collection } from '../storage/collection.ts';
import type { Engine } from '../storage/engine.ts';
import type { QuerySpec } from './query.ts';

/** The documents that a write is about. All are found before any of them changes. */
export function matches(engine: Engine, collection: Collection, spec: QuerySpec): Found[] {
  const { filter, sort, limit = Infinity, hint } = spec;
  const plan = choosePlan(engine.storage, collection, filter, sort, limit, hint);
  const scan = {
    storage: engine.storage,
    collection,
    examined: nothingExamined(),
    decodes: true,
    checkAlive: () => {},
  };
  return [...take(runPlan(scan, plan, sort, limit), limit)];
}
