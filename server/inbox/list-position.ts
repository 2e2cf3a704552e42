/** Positions in a user's conversations: their order, and the cursors of `conversation:list` that continue it. */
import { invalid } from '../lib/errors.ts';

/** Ordered by last activity, then by id, both descending. */
export interface ListPosition {
  /** Milliseconds since the epoch. */
  at: number;
  id: string;
}

/** Behind every conversation. */
export const LIST_END: ListPosition = { at: -1, id: '' };

/** Negative where the one comes before the other. */
export function comparePositions(one: ListPosition, other: ListPosition): number {
  if (one.at !== other.at) return other.at - one.at;
  return one.id === other.id ? 0 : one.id > other.id ? -1 : 1;
}

/** Whether the one comes after the other, or the other is the beginning (undefined). */
export function isAfter(one: ListPosition, other: ListPosition | undefined): boolean {
  return other === undefined || comparePositions(one, other) > 0;
}

/** A cursor for the page after a position. */
export function toCursor({ at, id }: ListPosition): string {
  return Buffer.from(`${at} ${id}`).toString('base64url');
}

/** @throws ContractError `validation_failed` for what `toCursor` did not make */
export function fromCursor(cursor: string): ListPosition {
  const [, at, id] =
    /^(\d{1,15}) ([0-9a-f]{24}(?:-[0-9a-f]{24})?)$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (at === undefined || id === undefined) throw invalid('cursor', 'is not one that a page gave');
  return { at: Number(at), id };
}
