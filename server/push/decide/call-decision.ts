/** What is pushed of a call. Pure: what it rests on was read just before. */
import type { CallReason } from '../../../shared/contract/calls.ts';
import type { CallDocument } from '../../model/documents/calls.ts';
import type { Person } from '../payloads.ts';
import { collapseOf, type Decision, NOTHING_SHOWN, type Situation } from './decision.ts';

/** How often to look whether what was pushed still rings, in milliseconds. */
const LOOK_MS = 1000;
/** How long a provider keeps the end of a call at least, in seconds. */
const LEAST_TTL_S = 30;

export interface CallFacts {
  call: CallDocument | undefined;
  caller: Person | undefined;
  groupName: string | undefined;
  /** Whether the session has itself taken the call. */
  isTaken: boolean;
  ringTimeoutMs: number;
  now: Date;
}

export function decideCall(situation: Situation, facts: CallFacts): Decision {
  const { job } = situation;
  const { call, now } = facts;
  const ringsUntil = call && ringingUntil(call, job.user_id, now);
  const rings = job.shown !== undefined;
  if (ringsUntil && rings) return { kind: 'skip', noted: {}, lookAt: new Date(now.getTime() + LOOK_MS) };
  if (ringsUntil) return ring(situation, call, ringsUntil, facts);
  // An attempt that was never brought to its end may have reached the device.
  const mayRing = rings || (job.claims ?? 0) > 1;
  if (!mayRing || !situation.wantsPush || facts.isTaken) return { kind: 'skip', noted: NOTHING_SHOWN };
  const reason = reasonOf(call, job.user_id, facts);
  const endsAt = (call?.started_at.getTime() ?? 0) + facts.ringTimeoutMs;
  return {
    kind: 'push',
    push: {
      payload: { type: 'call_over', call_id: job.subject, reason },
      collapse: collapseOf(job),
      ttlS: Math.max(LEAST_TTL_S, Math.ceil((endsAt - now.getTime()) / 1000)),
      urgency: 'high',
    },
    noted: NOTHING_SHOWN,
  };
}

function ring(
  { job, wantsPush, isConnected }: Situation,
  call: CallDocument,
  until: Date,
  { caller, groupName, now }: CallFacts,
): Decision {
  if (!wantsPush || isConnected || !caller) return { kind: 'skip', noted: {} };
  const { call_type, group_id } = call;
  return {
    kind: 'push',
    push: {
      payload: {
        type: 'call',
        call_id: job.subject,
        call_type,
        from: caller,
        ...(group_id ? { group_id: group_id.toHexString() } : {}),
        ...(groupName === undefined ? {} : { group_name: groupName }),
        expires_at: until.toISOString(),
      },
      collapse: collapseOf(job),
      ttlS: Math.ceil((until.getTime() - now.getTime()) / 1000),
      urgency: 'high',
    },
    noted: { shown: 1 },
    lookAt: new Date(now.getTime() + LOOK_MS),
    unsure: { ...NOTHING_SHOWN, shown: 1 },
  };
}

/** Until when a call rings for a user; undefined where it does not. */
function ringingUntil(call: CallDocument, userId: CallDocument['caller_id'], now: Date): Date | undefined {
  const { is_open, ring_until } = call;
  if (!is_open || !ring_until || ring_until <= now) return undefined;
  return isRung(call, userId) ? ring_until : undefined;
}

const isRung = ({ ringing_ids }: CallDocument, userId: CallDocument['caller_id']) =>
  ringing_ids.some((id) => id.equals(userId));

/** Why a call does not ring for a user any more. */
function reasonOf(
  call: CallDocument | undefined,
  userId: CallDocument['caller_id'],
  { ringTimeoutMs, now }: Pick<CallFacts, 'ringTimeoutMs' | 'now'>,
): CallReason {
  if (!call) return 'ended';
  const { status, started_at, ended_at, participants } = call;
  // Its time to ring is over, and nobody has noted that yet.
  if (isRung(call, userId)) return 'missed';
  if (status === 'rejected') return 'rejected';
  const rangOutAt = started_at.getTime() + ringTimeoutMs;
  if (status === 'missed') return ended_at && ended_at.getTime() < rangOutAt ? 'cancelled' : 'missed';
  if (participants.some(({ user_id }) => user_id.equals(userId))) return 'answered_elsewhere';
  if (status === 'ended') return 'ended';
  // A group's call that goes on: before its time to ring is over, only the user's own word stops the ringing.
  return now.getTime() < rangOutAt ? 'rejected' : 'missed';
}
