import { type Call, isOver } from './call.ts';
import type { TimeEvent } from './event.ts';

/** A moment at which time changes a call, and how. */
export interface Deadline {
  at: Date;
  event: TimeEvent;
}

/** The earliest deadline of a call; undefined when it is over or waits for nothing. */
export function nextDeadline(call: Call): Deadline | undefined {
  if (isOver(call)) return undefined;
  const pending: Deadline[] = [];
  if (call.ring_until) pending.push({ at: call.ring_until, event: { type: 'ring_timeout' } });
  for (const seat of call.seats) {
    if ('lost_until' in seat) pending.push({ at: seat.lost_until, event: { type: 'grace_over', user: seat.user_id } });
  }
  return pending.sort((a, b) => a.at.getTime() - b.at.getTime())[0];
}

/** The earliest deadline that has passed; undefined when none has. */
export function overdue(call: Call, now: Date): Deadline | undefined {
  const next = nextDeadline(call);
  return next && next.at <= now ? next : undefined;
}
