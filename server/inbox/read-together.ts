/**
 * Reads documents of several collections by one command. They come in the order of the parts, and none is changed on the
 * way to tell it apart: that would cost the store more than what it is asked for. A part whose documents look like
 * those of another gives them a field of their own.
 */
import type { AggregationCursor, Collection, Document } from 'mongodb';
import { ONE_BATCH } from './one-batch.ts';

/** Documents of one collection. The first stages must be bounded by one of its indexes. */
export interface Part {
  collection: Pick<Collection, 'aggregate' | 'collectionName'>;
  stages: Document[];
}

export interface CursorOptions {
  /** Documents per reply of the store. */
  batchSize?: number;
  /** How many documents are read, of all parts together; the store begins no part that is not needed for them. */
  limit?: number;
}

/** Opens a cursor over the parts, of which there is at least one. The store reads one part after the other. */
export function openTogether<T extends Document>(
  [first, ...rest]: readonly [Part, ...Part[]],
  { batchSize = ONE_BATCH, limit }: CursorOptions = {},
): AggregationCursor<T> {
  const pipeline = [
    ...first.stages,
    ...rest.map(({ collection, stages }) => ({
      $unionWith: { coll: collection.collectionName, pipeline: stages },
    })),
    ...(limit === undefined ? [] : [{ $limit: limit }]),
  ];
  return first.collection.aggregate<T>(pipeline, { batchSize });
}

/** Reads the parts, one after the other. Without parts there is no command. */
export async function readTogether<T extends Document>(parts: readonly Part[]): Promise<T[]> {
  const [first, ...rest] = parts;
  return first ? openTogether<T>([first, ...rest]).toArray() : [];
}

/** Those documents that have a field by which their kind is known. */
export function having<T extends object, F extends string>(
  found: readonly T[],
  field: F,
): Extract<T, Record<F, unknown>>[] {
  return found.filter((one): one is Extract<T, Record<F, unknown>> => field in one);
}
