import type { Engine } from './engine.ts';
import { compileFilter } from './match.ts';
import { docOf, nothingExamined, runPlan } from './scan.ts';
import { choosePlan } from './trial.ts';

/** How often expired documents are looked for, ms; MongoDB does it once a minute. */
const PERIOD = 5_000;
/** What one write removes at most, so that others get their turn. */
const PORTION = 5_000;

/** Removes what TTL indexes say has expired, what dropped collections left, and idle cursors. Returns the stop. */
export function startSweeper(engine: Engine): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    running = running.then(() => sweep(engine)).catch(() => {});
  }, PERIOD);
  return async () => {
    clearInterval(timer);
    await running;
  };
}

async function sweep(engine: Engine): Promise<void> {
  engine.cursors.closeIdle();
  while (await engine.write(() => engine.catalog.sweepDropped(PORTION)));
  for (const { namespace, indexes } of engine.catalog.collections().values()) {
    for (const index of indexes) {
      if (index.expireAfter !== undefined) await removeExpired(engine, namespace, index.paths[0]!, index.expireAfter);
    }
  }
}

/** Removes documents whose date (or the earliest of its dates) lies more than `seconds` back. */
async function removeExpired(engine: Engine, namespace: string, path: string, seconds: number): Promise<void> {
  const filter = compileFilter({ [path]: { $lte: new Date(Date.now() - seconds * 1000) } });
  for (;;) {
    const removed = await engine.write(() => {
      const collection = engine.catalog.find(namespace);
      if (collection === undefined) return 0;
      const expired = [];
      for (const found of runPlan(
        engine.storage,
        collection,
        choosePlan(engine.storage, collection, filter, undefined, PORTION),
        undefined,
        PORTION,
        nothingExamined(),
        () => {},
      )) {
        expired.push(found);
        if (expired.length === PORTION) break;
      }
      for (const found of expired) engine.records.remove(collection, docOf(found));
      return expired.length;
    });
    if (removed < PORTION) return;
  }
}
