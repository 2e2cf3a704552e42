/**
 * The order of one conversation's changes, as pure rules: no clock, no timer, no database (PROTOCOL section 4).
 *
 * Changes go out by ascending `rev`. One that comes early waits for those before it; one that comes late is dropped. A
 * change may be gone for good: its message was changed again and carries a higher `rev` now. Then it counts as delivered
 * with its successor, and a message whose `seq` was never delivered goes out as new, whatever change brought it.
 */
import { type Change, firstRevOf } from '../bus/operations.ts';

export interface Order {
  /** The last change that was delivered. */
  rev: number;
  /** The highest `seq` that was delivered. */
  lastSeq: number;
  /** Messages below it that were not delivered: they were changed since, and come with a later `rev`. */
  owed: Set<number>;
  /** Changes that came early, by the first `rev` that they take. */
  waiting: Map<number, Change>;
}

/** Puts one change out, in its turn. */
type Emit<O extends Order> = (order: O, change: Change) => void;

function deliver<O extends Order>(order: O, change: Change, emit: Emit<O>): void {
  const { seq } = change.message;
  const isNew = seq > order.lastSeq || order.owed.delete(seq);
  order.rev = change.rev;
  if (seq > order.lastSeq) {
    for (let skipped = order.lastSeq + 1; skipped < seq; skipped++) order.owed.add(skipped);
    order.lastSeq = seq;
  }
  emit(order, isNew === change.is_new ? change : { ...change, is_new: isNew });
}

/** Lets changes wait, whether it is their turn or not. */
export function wait(order: Order, changes: Change[]): void {
  for (const change of changes) order.waiting.set(firstRevOf(change), change);
}

/** Takes changes as they arrive: those in their turn go out, the others wait. */
export function accept<O extends Order>(order: O, changes: Change[], emit: Emit<O>): void {
  for (const change of changes) {
    if (firstRevOf(change) === order.rev + 1) deliver(order, change, emit);
    else order.waiting.set(firstRevOf(change), change);
  }
  if (order.waiting.size > 0) advance(order, emit);
}

/** Delivers what waits, up to the first gap, and drops what came late. */
export function advance<O extends Order>(order: O, emit: Emit<O>): void {
  for (let next = nextOf(order); next; next = nextOf(order)) {
    order.waiting.delete(firstRevOf(next));
    deliver(order, next, emit);
  }
  for (const [first, { rev }] of order.waiting) if (rev <= order.rev) order.waiting.delete(first);
}

/** The change that takes the next `rev`, as its first one or a later one. */
function nextOf({ rev, waiting }: Order): Change | undefined {
  const next = waiting.get(rev + 1);
  if (next && next.rev > rev) return next;
  for (const change of waiting.values()) if (firstRevOf(change) <= rev + 1 && change.rev > rev) return change;
  return undefined;
}

/** Delivers all changes that are stored above `order.rev`, or the first of them, ascending by `rev`. */
export function fill<O extends Order>(order: O, stored: Change[], emit: Emit<O>): void {
  const waiting = new Map([...order.waiting.values()].map((change) => [change.rev, change]));
  // Of two copies, the one that waits knows which sockets acted.
  for (const change of stored) deliver(order, waiting.get(change.rev) ?? change, emit);
}

/** Begins above a baseline, unless more than that was delivered already. */
export function beginAbove(order: Order, baseline: { rev: number; lastSeq: number }): void {
  if (baseline.rev <= order.rev) return;
  order.rev = baseline.rev;
  order.lastSeq = Math.max(baseline.lastSeq, order.lastSeq);
  order.owed.clear();
}
