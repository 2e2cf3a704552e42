/**
 * The state machine under random sequences: three users with four devices, one group of three and its pairs; commands,
 * connections lost and regained, removals, blocks, and timers that fire late and in any order.
 */
import fc from 'fast-check';
import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { type Call, deviceOf, durationOf, isOver, isUnanswered } from '../../server/calls/call.ts';
import { createChanges } from '../../server/calls/changes.ts';
import { nextDeadline } from '../../server/calls/deadline.ts';
import type { CallEvent } from '../../server/calls/event.ts';
import { TABLE, transition } from '../../server/calls/machine.ts';
import { ContractError } from '../../server/lib/errors.ts';
import type { Bus } from '../../server/bus/bus.ts';

const RING_MS = 45_000;
const GRACE_MS = 15_000;
const MAX = 2;
const USERS = ['a', 'b', 'c'] as const;
const DEVICES = [
  { user: 'a', name: 'a1' },
  { user: 'a', name: 'a2' },
  { user: 'b', name: 'b1' },
  { user: 'c', name: 'c1' },
];

interface SimulatedDevice {
  user: string;
  socket: string;
  connected: boolean;
  /** The last state that it was told of each call, by event or acknowledgement, since it connected. */
  told: Map<string, string>;
}

/** The rules that unique indexes enforce, over calls in memory. */
function duplicateKey(calls: Map<string, Call>, call: Call): boolean {
  if (isOver(call)) return false;
  const seated = new Set(call.seats.map((seat) => seat.user_id));
  return [...calls.values()].some(
    (other) =>
      other.id !== call.id &&
      !isOver(other) &&
      (other.conversation_id === call.conversation_id || other.seats.some((seat) => seated.has(seat.user_id))),
  );
}

function simulate() {
  let now = 1_000_000;
  let serial = 0;
  const calls = new Map<string, Call>();
  const answers = new Map<string, number>();
  const answeredAt = new Map<string, number>();
  const devices: SimulatedDevice[] = DEVICES.map(({ user }, i) => ({
    user,
    socket: `s${i}`,
    connected: true,
    told: new Map(),
  }));

  const bus = {
    emit(to, _event, payload, except) {
      if (!('users' in to) || !('call' in payload)) throw new Error('calls are told to users');
      for (const device of devices) {
        if (device.connected && to.users.includes(device.user) && device.socket !== except?.socket) {
          device.told.set(payload.call._id, payload.call.status);
        }
      }
    },
  } as Pick<Bus, 'emit'> as Bus;

  const store = {
    find: async (id: string) => calls.get(id),
    async advance(call: Call) {
      const before = calls.get(call.id)!;
      if (before.version !== call.version - 1) return false;
      if (duplicateKey(calls, call)) throw new ContractError('busy', 'in another call');
      if (isOver(before)) throw new Error('a final state was changed');
      if (isUnanswered(before) && call.status === 'ongoing') {
        answers.set(call.id, (answers.get(call.id) ?? 0) + 1);
        answeredAt.set(call.id, call.answered_at!.getTime());
      }
      calls.set(call.id, call);
      return true;
    },
  };
  const changes = createChanges({ store, bus, max: MAX, clock: () => new Date(now) });

  async function happen(call: Call | undefined, event: CallEvent | undefined, device?: SimulatedDevice): Promise<void> {
    if (!call) return;
    try {
      const after = event ? await changes.apply(call.id, event, device?.socket) : await changes.applyOverdue(call.id);
      device?.told.set(after.id, after.status);
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
    }
  }

  function initiate(device: SimulatedDevice, other: string | undefined): void {
    if (!device.connected || other === device.user) return;
    const seated = [...calls.values()].flatMap((call) => call.seats.map((seat) => seat.user_id));
    // Who is in a call is not rung.
    const callees = (other ? [other] : USERS.filter((user) => user !== device.user)).filter(
      (id) => !seated.includes(id),
    );
    if (other && callees.length === 0) return;
    const call: Call = {
      id: new ObjectId().toHexString(),
      kind: other ? 'direct' : 'group',
      conversation_id: other ? [device.user, other].sort().join('-') : 'group',
      caller_id: device.user,
      ...(other ? { recipient_id: other } : { group_id: 'group' }),
      call_type: 'voice',
      metadata: {},
      status: 'initiated',
      started_at: new Date(now),
      participants: [{ user_id: device.user, joined_at: new Date(now) }],
      seats: [{ user_id: device.user, socket_id: device.socket, node_id: 'n' }],
      ringing_ids: callees,
      told_ids: [device.user, ...callees],
      ring_until: new Date(now + RING_MS),
      version: 1,
    };
    if (duplicateKey(calls, call)) return;
    calls.set(call.id, call);
    for (const each of devices)
      if (each.connected && call.told_ids.includes(each.user)) each.told.set(call.id, 'initiated');
  }

  async function drop(device: SimulatedDevice): Promise<void> {
    if (!device.connected) return;
    device.connected = false;
    device.told.clear();
    for (const call of calls.values()) {
      const seat = call.seats.find(({ user_id }) => user_id === device.user);
      if (deviceOf(seat)?.socket_id !== device.socket) continue;
      const lost = { socket_id: device.socket, node_id: 'n' };
      await happen(call, { type: 'disconnect', user: device.user, device: lost, until: new Date(now + GRACE_MS) });
    }
  }

  return {
    calls,
    answers,
    answeredAt,
    devices,
    initiate,
    drop,
    happen,
    regain(device: SimulatedDevice) {
      if (device.connected) return;
      device.connected = true;
      device.socket = `s-${++serial}`;
      // What `sync` tells whoever comes back.
      for (const call of calls.values())
        if (!isOver(call) && call.told_ids.includes(device.user)) device.told.set(call.id, call.status);
    },
    pass(ms: number) {
      now += ms;
    },
    async sweep(order: number) {
      const due = [...calls.values()].filter((call) => (nextDeadline(call)?.at.getTime() ?? Infinity) <= now);
      if (order % 2) due.reverse();
      for (const call of due) await happen(call, undefined);
    },
  };
}

type Simulation = ReturnType<typeof simulate>;

function checkInvariants({ calls, answers, answeredAt }: Simulation): void {
  const seated: string[] = [];
  for (const call of calls.values()) {
    expect(answers.get(call.id) ?? 0).toBeLessThanOrEqual(1);
    const staying = call.participants.filter((stay) => !stay.left_at).map((stay) => stay.user_id);
    expect(call.seats.map((seat) => seat.user_id).sort()).toEqual(staying.sort());
    for (const { joined_at, left_at } of call.participants)
      if (left_at) expect(+left_at).toBeGreaterThanOrEqual(+joined_at);
    if (isOver(call)) {
      expect(call.ended_at).toBeDefined();
      expect(call.seats).toEqual([]);
      expect(call.ringing_ids).toEqual([]);
      const answered = answeredAt.get(call.id);
      expect(durationOf(call)).toBe(answered === undefined ? 0 : Math.floor((+call.ended_at! - answered) / 1000));
      continue;
    }
    seated.push(...staying);
    expect(call.ended_at).toBeUndefined();
    if (isUnanswered(call)) {
      expect(staying).toEqual([call.caller_id]);
      expect(nextDeadline(call)).toBeDefined();
    } else {
      expect(staying.length).toBeGreaterThanOrEqual(1);
      expect(staying.length).toBeLessThanOrEqual(MAX);
      if (call.kind === 'direct') expect(staying.length).toBe(2);
      if (call.ringing_ids.length > 0) expect(nextDeadline(call)).toBeDefined();
    }
    for (const seat of call.seats)
      if ('lost_until' in seat) expect(+nextDeadline(call)!.at).toBeLessThanOrEqual(+seat.lost_until);
  }
  expect(new Set(seated).size).toBe(seated.length);
}

function checkStories({ calls, devices }: Simulation): void {
  for (const device of devices) {
    if (!device.connected) continue;
    for (const [id, status] of device.told) {
      const call = calls.get(id)!;
      if (call.told_ids.includes(device.user)) expect(`${id} ${status}`).toBe(`${id} ${call.status}`);
    }
  }
}

const who = fc.constantFrom(0, 1, 2, 3);
const which = fc.nat(5);
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('initiate' as const),
      who,
      other: fc.constantFrom('a', 'b', 'c', undefined),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('ringing' as const, 'accept' as const, 'reject' as const, 'join' as const, 'leave' as const),
      who,
      which,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('drop' as const, 'regain' as const), who }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 700, 1500, 14_999, 15_000, 45_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sweep' as const), order: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('remove' as const, 'block' as const), who, which }) },
);

describe('the state machine of calls', () => {
  it('keeps its promises under any sequence of commands, losses and timers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const simulation = simulate();
        const { devices, calls, happen } = simulation;
        const pick = (which: number) => [...calls.values()].at(-1 - (which % Math.max(calls.size, 1)));
        for (const each of steps) {
          if (each.do === 'initiate') simulation.initiate(devices[each.who]!, each.other);
          else if (!('which' in each) && 'who' in each) {
            if (each.do === 'drop') await simulation.drop(devices[each.who]!);
            else simulation.regain(devices[each.who]!);
          } else if (each.do === 'pass') simulation.pass(each.ms);
          else if (each.do === 'sweep') await simulation.sweep(each.order);
          else {
            const device = devices[each.who]!;
            const { user } = device;
            const call = pick(each.which);
            const mayAct = device.connected && call?.told_ids.includes(user);
            if (each.do === 'block') {
              if (call?.kind === 'direct') await happen(call, { type: 'block' });
            } else if (each.do === 'remove') {
              if (call?.kind === 'group') await happen(call, { type: 'remove', user });
            } else if (mayAct && (each.do === 'accept' || each.do === 'join')) {
              await happen(call, { type: each.do, user, device: { socket_id: device.socket, node_id: 'n' } }, device);
            } else if (mayAct && each.do !== 'accept' && each.do !== 'join') {
              await happen(call, { type: each.do, user }, device);
            }
          }
          checkInvariants(simulation);
          checkStories(simulation);
        }
        // Everybody's connection is lost: whatever is under way comes to its end by time alone.
        for (const device of devices) await simulation.drop(device);
        simulation.pass(RING_MS + GRACE_MS);
        await simulation.sweep(0);
        expect([...calls.values()].filter((call) => !isOver(call))).toEqual([]);
        checkInvariants(simulation);
      }),
      { numRuns: 1500 },
    );
  }, 60_000);

  it('lets a caller whom nobody hears wait no longer than the ringing, on whichever device', () => {
    const now = new Date(0);
    const alone: Call = {
      id: 'x',
      kind: 'group',
      conversation_id: 'g',
      caller_id: 'a',
      group_id: 'g',
      call_type: 'voice',
      metadata: {},
      status: 'initiated',
      started_at: now,
      participants: [{ user_id: 'a', joined_at: now }],
      seats: [{ user_id: 'a', socket_id: 's', node_id: 'n' }],
      ringing_ids: [],
      told_ids: ['a'],
      ring_until: new Date(RING_MS),
      version: 1,
    };
    const moved = transition(alone, { type: 'join', user: 'a', device: { socket_id: 't', node_id: 'n' } }, now, 8);
    if (moved.kind !== 'changed') throw new Error(moved.kind);
    expect(nextDeadline(moved.call)).toEqual({ at: new Date(RING_MS), event: { type: 'ring_timeout' } });
    expect(transition(moved.call, { type: 'ring_timeout' }, now, 8)).toMatchObject({ call: { status: 'missed' } });
  });

  it('lets nothing change a call that is over', () => {
    const device = { socket_id: 's', node_id: 'n' };
    const now = new Date(50_000);
    const over: Call = {
      id: 'x',
      kind: 'direct',
      conversation_id: 'a-b',
      caller_id: 'a',
      recipient_id: 'b',
      call_type: 'video',
      metadata: {},
      status: 'ended',
      started_at: new Date(0),
      answered_at: new Date(1000),
      ended_at: new Date(9999),
      participants: [],
      seats: [],
      ringing_ids: [],
      told_ids: ['a', 'b'],
      version: 7,
    };
    const events: CallEvent[] = [
      ...(['ringing', 'reject', 'leave', 'remove'] as const).map((type) => ({ type, user: 'b' })),
      ...(['accept', 'join'] as const).map((type) => ({ type, user: 'b', device })),
      { type: 'disconnect', user: 'b', device, until: now },
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

  it('has no row that can never be taken', () => {
    // A row is dead if an earlier one takes every event and state of it under no more conditions.
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
});
