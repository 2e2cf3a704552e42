/** Compares both sides, count by count. */
import type { Db } from 'mongodb';
import { type Expiry, lasting } from './expiry.ts';

export interface Sides {
  source: Db;
  target: Db;
}

/**
 * To be called while nothing is written.
 * @param at what expires by then is left out, as either side removes it by itself
 * @returns how many documents there are
 * @throws Error with a one-line message where the counts differ
 */
export async function compareCounts(
  { source, target }: Sides,
  { name, expiries, at }: { name: string; expiries: Expiry[]; at: Date },
): Promise<number> {
  const [from, to] = [source.collection(name), target.collection(name)];
  const filter = lasting(expiries, at);
  if (expiries.length === 0) {
    // By the collections' own counts, which are quick, but not exact in a cluster.
    const [ours, theirs] = await Promise.all([from.estimatedDocumentCount(), to.estimatedDocumentCount()]);
    if (ours === theirs) return ours;
  }
  const [ours, theirs] = await Promise.all([from.countDocuments(filter), to.countDocuments(filter)]);
  if (ours !== theirs) throw new Error(`${name} has ${ours} documents in DATA_DIR and ${theirs} in the target`);
  return ours;
}
