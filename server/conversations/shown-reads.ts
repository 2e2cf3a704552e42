/**
 * What others may know of a reading: the ranges of `seq` that a user read while it was shown, each with the senders who
 * may not know it. They hold for what the stored messages do not say yet (`shown-messages.ts`).
 */
import type { ObjectId } from 'mongodb';
import type { ShownRead } from '../model/documents/conversations.ts';

/**
 * Adds what was read. A range that continues the last one, for the same senders, prolongs it, so that there are more than
 * one only where settings change.
 * @param except the senders who must not know
 */
export function withShownRead(
  ranges: readonly ShownRead[],
  from: number,
  to: number,
  except: readonly ObjectId[],
): ShownRead[] {
  const last = ranges.at(-1);
  if (last && last.to === from && isSame(last.except ?? [], except)) return [...ranges.slice(0, -1), { ...last, to }];
  return [...ranges, { from, to, ...(except.length > 0 ? { except: [...except] } : {}) }];
}

function isSame(ones: readonly ObjectId[], others: readonly ObjectId[]): boolean {
  return ones.length === others.length && ones.every((one) => others.some((other) => other.equals(one)));
}

/** Whether the sender of a message may know that it was read. */
export function isShownRead(ranges: readonly ShownRead[], seq: number, senderId: ObjectId): boolean {
  return ranges.some(
    ({ from, to, except = [] }) => seq > from && seq <= to && !except.some((hidden) => hidden.equals(senderId)),
  );
}
