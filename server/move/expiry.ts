/** Documents that expire (TTL indexes): each database removes them by itself, at a moment of its own. */
import type { Document, IndexDescriptionInfo } from 'mongodb';
import type { Exact } from './documents.ts';

/** How long before its time a document counts as gone, and after which a database has removed it for certain. */
const MARGIN_MS = 120_000;

/** The field of a TTL index, and how long after its date a document expires. */
export interface Expiry {
  field: string;
  afterMs: number;
}

export function expiriesOf(indexes: IndexDescriptionInfo[]): Expiry[] {
  return indexes.flatMap(({ key, expireAfterSeconds }) =>
    expireAfterSeconds === undefined
      ? []
      : [{ field: Object.keys(key)[0]!, afterMs: Number(expireAfterSeconds) * 1000 }],
  );
}

/** A filter for the documents that neither database can have removed by now. */
export function lasting(expiries: Expiry[], at: Date): Document {
  if (expiries.length === 0) return {};
  return { $nor: expiries.map(({ field, afterMs }) => ({ [field]: { $lte: latest(afterMs, at) } })) };
}

/** Whether either database may have removed a document by now. */
export function isExpiring(document: Exact, expiries: Expiry[], at: Date): boolean {
  return expiries.some(({ field, afterMs }) => {
    const date: unknown = document[field];
    return date instanceof Date && date <= latest(afterMs, at);
  });
}

const latest = (afterMs: number, at: Date) => new Date(at.getTime() + MARGIN_MS - afterMs);
