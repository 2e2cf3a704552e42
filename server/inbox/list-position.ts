/** Positions in `conversation:list`: the order of conversations, and the cursors that continue it. */
import { invalid } from '../lib/errors.ts';
import { activityOf, type Place } from './place.ts';

/** Ordered by last activity, then by id, both descending. */
export interface ListPosition {
  /** Milliseconds since the epoch. */
  at: number;
  id: string;
}

export function positionOf(place: Place): ListPosition {
  return { at: activityOf(place).getTime(), id: place.id };
}

/** Negative where the one comes before the other. */
export function comparePositions(one: ListPosition, other: ListPosition): number {
  if (one.at !== other.at) return other.at - one.at;
  return one.id === other.id ? 0 : one.id > other.id ? -1 : 1;
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
