/** What is pushed of a call, and why it does not ring any more. */
import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import type { CallDocument } from '../../server/model/documents/calls.ts';
import type { PushJobDocument, PushSubscriptionDocument } from '../../server/model/documents/push.ts';
import { decideCall } from '../../server/push/decide/call-decision.ts';
import type { CallReason } from '../../shared/contract/calls.ts';

const RING_MS = 45_000;
const [caller, user, member] = [new ObjectId(), new ObjectId(), new ObjectId()];
const started_at = new Date('2026-05-24T18:30:00.000Z');
const later = (ms: number) => new Date(started_at.getTime() + ms);
const stay = (user_id: ObjectId) => ({ user_id, joined_at: started_at });

const ringing = {
  ...{ _id: new ObjectId(), caller_id: caller, started_at, call_type: 'voice', status: 'ringing', is_open: true },
  ...{ ring_until: later(RING_MS), ringing_ids: [user, member], participants: [stay(caller)] },
} as unknown as CallDocument;
const { ring_until: _rings, is_open: _isOpen, ...notRinging } = ringing;
const over = (more: Partial<CallDocument>) => ({ ...notRinging, ringing_ids: [], ...more }) as CallDocument;
const ongoing = (more: Partial<CallDocument>) =>
  ({ ...ringing, status: 'ongoing', group_id: new ObjectId(), ...more }) as CallDocument;

const decide = (call: CallDocument | undefined, now: Date, job: Partial<PushJobDocument> = {}, isConnected = false) =>
  decideCall(
    {
      job: { _id: 'job', subject: ringing._id.toHexString(), user_id: user, claims: 1, ...job } as PushJobDocument,
      subscription: {} as PushSubscriptionDocument,
      ...{ wantsPush: true, isConnected },
    },
    {
      ...{ call, groupName: undefined, isTaken: false, ringTimeoutMs: RING_MS, now },
      caller: { user_id: caller.toHexString(), username: 'ann', full_name: null },
    },
  );

describe('the end of a call has as its reason', () => {
  const group = { group_id: new ObjectId() };
  const reasons: [CallReason, string, CallDocument | undefined, Date][] = [
    [
      'missed',
      'that its time to ring is over',
      over({ status: 'missed', ended_at: later(RING_MS + 200) }),
      later(46_000),
    ],
    ['missed', 'that its time to ring is over, before that is noted', ringing, later(RING_MS + 50)],
    ['cancelled', 'that the caller gave up', over({ status: 'missed', ended_at: later(5000) }), later(6000)],
    ['rejected', 'that it was declined', over({ status: 'rejected', ended_at: later(5000) }), later(6000)],
    [
      'answered_elsewhere',
      'that another device has it',
      ongoing({ ringing_ids: [], participants: [stay(caller), stay(user)] }),
      later(6000),
    ],
    [
      'answered_elsewhere',
      'that another device had it',
      over({ status: 'ended', participants: [stay(caller), stay(user)], ended_at: later(9000) }),
      later(60_000),
    ],
    ['ended', 'that the others have hung up', over({ ...group, status: 'ended', ended_at: later(5000) }), later(6000)],
    ['rejected', 'that the user declined, while it rings for others', ongoing({ ringing_ids: [member] }), later(6000)],
    [
      'rejected',
      'that the user declined as the last one who was rung',
      ongoing({ ringing_ids: [], ring_until: undefined as never }),
      later(6000),
    ],
    [
      'missed',
      'that its time to ring is over, while others talk',
      ongoing({ ringing_ids: [], ring_until: undefined as never }),
      later(RING_MS + 600),
    ],
    ['ended', 'that there is no such call any more', undefined, later(6000)],
  ];

  it.each(reasons)('%s: %s', (reason, _why, call, now) => {
    expect(decide(call, now, { shown: 1 })).toMatchObject({
      kind: 'push',
      push: { payload: { type: 'call_over', call_id: ringing._id.toHexString(), reason } },
    });
  });
});

describe('a call that rings', () => {
  it('is pushed once, and then looked at each second', () => {
    expect(decide(ringing, later(5000))).toMatchObject({
      ...{ kind: 'push', lookAt: later(6000) },
      push: { ttlS: 40, payload: { type: 'call', expires_at: later(RING_MS).toISOString() } },
    });
    expect(decide(ringing, later(6000), { shown: 1 })).toMatchObject({ kind: 'skip', lookAt: later(7000) });
  });

  it('is pushed again where the attempt before was never brought to its end', () => {
    expect(decide(ringing, later(31_000), { claims: 2 })).toMatchObject({ kind: 'push', push: { ttlS: 14 } });
  });

  it('is not pushed to a session with a connection', () => {
    expect(decide(ringing, later(5000), {}, true)).toMatchObject({ kind: 'skip' });
  });
});

describe('a call that is over', () => {
  const cancelled = over({ status: 'missed', ended_at: later(5000) });

  it('is not told of where it was not pushed', () => {
    expect(decide(cancelled, later(6000))).toMatchObject({ kind: 'skip' });
  });

  it('is told of where an attempt may have reached the device before its node died', () => {
    expect(decide(cancelled, later(31_000), { claims: 2 })).toMatchObject({
      push: { payload: { type: 'call_over', reason: 'cancelled' } },
    });
  });
});
