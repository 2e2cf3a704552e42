/**
 * Passes: every document of a collection is looked at anew, beside the service, as a chain of jobs (`cluster/pass.ts`
 * carries them out). A migration begins one by its first job.
 */
import type { Db } from 'mongodb';
import { FOLD_VERSION } from '../lib/fold.ts';
import { upsert } from './batches.ts';
import { type CollectionName, collections } from './collections.ts';

/** What search compares is folded and stored with each of these documents. */
export const FOLDED = ['users', 'messages', 'group_messages'] as const satisfies CollectionName[];
export type Folded = (typeof FOLDED)[number];

/** The kind of job that folds a collection anew. */
export function foldingJob(collection: Folded): string {
  return `fold-${collection}`;
}

/** The beginning of the keys of a round's jobs. There are two: see `cluster/pass.ts`. */
export function roundKey(round: number): string {
  return `${FOLD_VERSION}:${round}:`;
}

/** Has everything folded anew by whichever node is alive. */
export async function foldAnew(db: Db): Promise<void> {
  const { jobs } = collections(db);
  for (const collection of FOLDED) {
    const kind = foldingJob(collection);
    // Due whatever time it is.
    const job = { kind, payload: { round: 1 }, due_at: new Date(0), attempts: 0 };
    await upsert(jobs, { filter: { _id: `${kind}:${roundKey(1)}` }, update: { $setOnInsert: job } });
  }
}
