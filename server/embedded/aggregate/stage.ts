import type { Found } from '../plan/found.ts';

/** A stage of a pipeline: a lazy sequence made of a lazy sequence. */
export type Stage = (input: Iterable<Found>) => Iterable<Found>;

/** Runs a pipeline over another collection of the database, for `$unionWith`. */
export type RunOn = (collection: string, pipeline: unknown[]) => Iterable<Found>;

/** The first `limit` items. It asks for no more. */
export function* take<T>(input: Iterable<T>, limit: number): Generator<T> {
  let left = limit;
  if (left <= 0) return;
  for (const item of input) {
    yield item;
    if (--left === 0) return;
  }
}

/** All but the first `skip` items. */
export function* dropFirst<T>(input: Iterable<T>, skip: number): Generator<T> {
  let left = skip;
  for (const item of input) if (--left < 0) yield item;
}
