/** Single transitions of the state machine, and its table. Random sequences are in `sequences.test.ts`. */
import { expect, it } from 'vitest';
import { type Call, type Device, durationOf, seatOf } from '../../server/calls/call.ts';
import { nextDeadline } from '../../server/calls/deadline.ts';
import type { CallEvent } from '../../server/calls/event.ts';
import { type Outcome, TABLE, transition } from '../../server/calls/machine.ts';
import { newCall, ringingFor } from '../../server/calls/new-call.ts';

const RING_MS = 45_000;
const DEVICE = { socket_id: 's', node_id: 'n' };

const started = new Date(0);
const inGroup = newCall('a', DEVICE, 'g', { group_id: 'g', call_type: 'voice' }, started);
const inPair = newCall('a', DEVICE, 'a-b', { recipient_id: 'b', call_type: 'video' }, started);

it('a caller whom nobody hears waits no longer than the ring timeout, on whichever device', () => {
  const alone = ringingFor(inGroup, [], RING_MS);
  const other = { socket_id: 't', node_id: 'n' };
  const moved = transition(alone, { type: 'join', user: 'a', device: other }, started, 8);
  if (moved.kind !== 'changed') throw new Error(moved.kind);
  expect(nextDeadline(moved.call)).toEqual({ at: new Date(RING_MS), event: { type: 'ring_timeout' } });
  expect(transition(moved.call, { type: 'ring_timeout' }, started, 8)).toMatchObject({ call: { status: 'missed' } });
});

const OTHER_DEVICE = { socket_id: 't', node_id: 'n' };

/** The outcome's call; fails the test when nothing changed. */
function changed(outcome: Outcome): Call {
  if (outcome.kind !== 'changed') throw new Error(outcome.kind);
  return outcome.call;
}

const ringing = ringingFor(inPair, ['b'], RING_MS);
const ongoing = changed(transition(ringing, { type: 'accept', user: 'b', device: DEVICE }, started, 8));
const groupCall = ringingFor(inGroup, ['b'], RING_MS);
const ongoingInGroup = changed(transition(groupCall, { type: 'accept', user: 'b', device: DEVICE }, started, 8));

it.each<[string, Call, string]>([
  ['a pair’s call', ongoing, 'b'],
  ['a group’s call', ongoingInGroup, 'b'],
  ['a call that still rings, by its caller', ringing, 'a'],
])('only the device in it leaves %s', (_name, call, user) => {
  const leave = (from: Call, device?: Device) =>
    transition(from, { type: 'leave', user, ...(device ? { device } : {}) }, started, 8);
  expect(leave(call, OTHER_DEVICE)).toEqual({ kind: 'unchanged' });
  expect(leave(call)).toEqual({ kind: 'unchanged' });
  expect(seatOf(changed(leave(call, DEVICE)), user)).toBeUndefined();

  const moved = changed(transition(call, { type: 'join', user, device: OTHER_DEVICE }, started, 8));
  expect(leave(moved, DEVICE)).toEqual({ kind: 'unchanged' });
  expect(seatOf(changed(leave(moved, OTHER_DEVICE)), user)).toBeUndefined();
});

it.each([
  ['any device', OTHER_DEVICE],
  ['none', undefined],
])('a user whose device is lost leaves by %s', (_name, device) => {
  const lost = changed(
    transition(ongoing, { type: 'disconnect', user: 'b', device: DEVICE, until: new Date(1000) }, started, 8),
  );
  const left = transition(lost, { type: 'leave', user: 'b', ...(device ? { device } : {}) }, started, 8);
  expect(left).toMatchObject({ call: { status: 'ended' } });
});

it('nothing changes a call that is over', () => {
  const now = new Date(50_000);
  const over: Call = {
    ...inPair,
    answered_at: new Date(1000),
    ended_at: new Date(9999),
    participants: [],
    seats: [],
    told_ids: ['a', 'b'],
    version: 7,
  };
  const events: CallEvent[] = [
    ...(['ringing', 'reject', 'leave', 'remove'] as const).map((type) => ({ type, user: 'b' })),
    ...(['accept', 'join'] as const).map((type) => ({ type, user: 'b', device: DEVICE })),
    { type: 'disconnect', user: 'b', device: DEVICE, until: now },
    { type: 'block' },
    { type: 'close' },
    { type: 'ring_timeout' },
    { type: 'grace_over', user: 'b' },
  ];
  for (const status of ['ended', 'missed', 'rejected'] as const) {
    const kinds = events.map((event) => transition({ ...over, status }, event, now, 8).kind);
    expect(kinds).not.toContain('changed');
  }
  expect(durationOf(over)).toBe(8);
});

it('the table has no dead row', () => {
  // A row is dead if earlier rows with no further guards match all of its events in all of its states.
  for (const [at, row] of TABLE.entries()) {
    const hidden = row.on.every((event) =>
      row.in.every((status) =>
        TABLE.slice(0, at).some(
          (earlier) =>
            earlier.on.includes(event) &&
            earlier.in.includes(status) &&
            (earlier.when ?? []).every((guard) => (row.when ?? []).includes(guard)),
        ),
      ),
    );
    expect(hidden, `row ${at}: ${row.on} in ${row.in}`).toBe(false);
  }
});
