/** Which of two reports of a call is the newer one: calls have no counter, and reports may come late. */
import type { Call } from '../contract.ts';
import { withEntry } from './state.ts';

const STAGE: Record<Call['status'], number> = {
  initiated: 0,
  ringing: 1,
  ongoing: 2,
  ended: 3,
  missed: 3,
  rejected: 3,
};
/** So many calls that are over are remembered: what comes late does not bring them back. */
const MOST_OVER = 32;

/** Whether it has ended, whichever way. */
export function isOver({ status }: Call): boolean {
  return status === 'ended' || status === 'missed' || status === 'rejected';
}

/** How often somebody has come or gone: stays are only added and ended. */
function comingsAndGoings({ participants }: Call): number {
  return participants.length + participants.filter(({ left_at }) => left_at !== undefined).length;
}

/** @returns the newer of two reports of one call; the one that came last where they do not tell */
export function newerCall(known: Call | undefined, told: Call): Call {
  if (!known) return told;
  const ahead = STAGE[known.status] - STAGE[told.status] || comingsAndGoings(known) - comingsAndGoings(told);
  return ahead > 0 ? known : told;
}

/** @returns the calls after a report of one; of those that are over only the last are kept */
export function withCall(calls: ReadonlyMap<string, Call>, told: Call): ReadonlyMap<string, Call> {
  return withoutOldest(withEntry(calls, told._id, newerCall(calls.get(told._id), told)));
}

/** @returns the calls after the server has listed all that are not over; of the others those known to be over are kept */
export function withListed(calls: ReadonlyMap<string, Call>, listed: readonly Call[]): ReadonlyMap<string, Call> {
  const next = new Map([...calls].filter(([, call]) => isOver(call)));
  for (const call of listed) next.set(call._id, newerCall(calls.get(call._id), call));
  return next;
}

function withoutOldest(calls: ReadonlyMap<string, Call>): ReadonlyMap<string, Call> {
  const over = [...calls.values()].filter(isOver);
  if (over.length <= MOST_OVER) return calls;
  return withEntry(calls, over[0]!._id, undefined);
}
