import { matches } from './commands/matches.ts';
import { docOf } from './plan/found.ts';
import { compileFilter } from './query/match.ts';
import type { Engine } from './storage/engine.ts';

/** How often the sweeper runs, in milliseconds. MongoDB looks for expired documents once a minute. */
const PERIOD_MS = 5_000;
/** How much one write removes at most, so that others get their turn. */
const PORTION = 5_000;

/**
 * Removes expired documents, the entries of dropped collections, and idle cursors.
 * @returns a function that stops it
 */
export function startSweeper(engine: Engine): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    running = running.then(() => sweep(engine)).catch(() => {});
  }, PERIOD_MS);
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

/** Removes documents whose date, or the earliest of whose dates, lies more than `seconds` back. */
async function removeExpired(engine: Engine, namespace: string, path: string, seconds: number): Promise<void> {
  const filter = compileFilter({ [path]: { $lte: new Date(Date.now() - seconds * 1000) } });
  for (;;) {
    const removed = await engine.write(() => {
      const collection = engine.catalog.find(namespace);
      if (collection === undefined) return 0;
      const expired = matches(engine, collection, { filter, limit: PORTION });
      for (const found of expired) engine.records.remove(collection, docOf(found));
      return expired.length;
    });
    if (removed < PORTION) return;
  }
}
