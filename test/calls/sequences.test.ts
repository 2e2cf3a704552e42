/**
 * The state machine under random sequences: three users with four devices, one group of three and its pairs; commands,
 * connections lost and regained, removals, blocks, and timers that fire late and in any order.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { deviceOf, durationOf, isOver, isUnanswered, seatOf } from '../../server/calls/call.ts';
import { nextDeadline } from '../../server/calls/deadline.ts';
import {
  createSimulation,
  disconnect,
  GRACE_MS,
  happen,
  initiate,
  MAX,
  RING_MS,
  reconnect,
  type SimulatedDevice,
  type Simulation,
  sweep,
} from './simulation.ts';

function checkInvariants({ calls, answers }: Simulation): void {
  const seated: string[] = [];
  for (const call of calls.values()) {
    const answered = answers.get(call.id) ?? [];
    expect(answered.length).toBeLessThanOrEqual(1);
    const staying = call.participants.filter((stay) => !stay.left_at).map((stay) => stay.user_id);
    expect(call.seats.map((seat) => seat.user_id).sort()).toEqual(staying.sort());
    for (const { joined_at, left_at } of call.participants)
      if (left_at) expect(+left_at).toBeGreaterThanOrEqual(+joined_at);
    if (isOver(call)) {
      expect(call.ended_at).toBeDefined();
      expect(call.seats).toEqual([]);
      expect(call.ringing_ids).toEqual([]);
      expect(durationOf(call)).toBe(answered[0] ? Math.floor((+call.ended_at! - +answered[0]) / 1000) : 0);
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

/** Every connected device knows the state of each call that it was told of. */
function checkTold({ calls, devices }: Simulation): void {
  for (const device of devices) {
    if (!device.connected) continue;
    for (const [id, status] of device.told) {
      const call = calls.get(id)!;
      if (call.told_ids.includes(device.user)) expect(`${id} ${status}`).toBe(`${id} ${call.status}`);
    }
  }
}

type Command = 'ringing' | 'accept' | 'reject' | 'join' | 'leave';
type Step =
  | { do: 'initiate'; who: number; recipient: string | undefined }
  | { do: Command | 'leave by none' | 'remove' | 'block'; who: number; which: number }
  | { do: 'disconnect' | 'reconnect'; who: number }
  | { do: 'pass'; ms: number }
  | { do: 'sweep'; backwards: boolean };

const does = <D extends Step['do']>(...names: D[]) => fc.constantFrom(...names);
const who = fc.nat(3);
const which = fc.nat(5);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: does('initiate'), who, recipient: fc.constantFrom('a', 'b', 'c', undefined) }),
  },
  { weight: 8, arbitrary: fc.record({ do: does('ringing', 'accept', 'reject', 'join', 'leave'), who, which }) },
  { weight: 3, arbitrary: fc.record({ do: does('disconnect', 'reconnect'), who }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: does('pass'), ms: fc.constantFrom(1, 700, 1500, 14_999, 15_000, 45_000) }),
  },
  { weight: 2, arbitrary: fc.record({ do: does('sweep'), backwards: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: does('leave by none', 'remove', 'block'), who, which }) },
);

async function perform(simulation: Simulation, step: Step): Promise<void> {
  const { devices, calls } = simulation;
  if (step.do === 'pass') {
    simulation.now += step.ms;
    return;
  }
  if (step.do === 'sweep') return sweep(simulation, step);
  const device = devices[step.who]!;
  if (step.do === 'initiate') return initiate(simulation, device, step.recipient);
  if (!('which' in step))
    return step.do === 'disconnect' ? disconnect(simulation, device) : reconnect(simulation, device);

  const { user } = device;
  const call = [...calls.values()].at(-1 - (step.which % Math.max(calls.size, 1)));
  if (!call) return;
  if (step.do === 'block') {
    if (call.kind === 'direct') await happen(simulation, call, { type: 'block' });
  } else if (step.do === 'remove') {
    if (call.kind === 'group') await happen(simulation, call, { type: 'remove', user });
  } else if (step.do === 'leave by none') {
    await leave(simulation, call.id, user);
  } else if (device.connected && call.told_ids.includes(user)) {
    if (step.do === 'leave') return leave(simulation, call.id, user, device);
    const on = { socket_id: device.socket, node_id: 'n' };
    const event =
      step.do === 'accept' || step.do === 'join' ? { type: step.do, user, device: on } : { type: step.do, user };
    await happen(simulation, call, event, device);
  }
}

/** A user leaves, by a device or by none. One who has the call on another device stays in it. */
async function leave(simulation: Simulation, id: string, user: string, device?: SimulatedDevice): Promise<void> {
  const { calls } = simulation;
  // What is overdue happens first, whatever the command is.
  await happen(simulation, calls.get(id)!, undefined);
  const before = calls.get(id)!;
  const on = device ? { device: { socket_id: device.socket, node_id: 'n' } } : {};
  await happen(simulation, before, { type: 'leave', user, ...on }, device);
  const holder = deviceOf(seatOf(before, user));
  if (holder && holder.socket_id !== device?.socket) expect(calls.get(id)).toBe(before);
  else expect(seatOf(calls.get(id)!, user)).toBeUndefined();
}

it('the state machine keeps its promises under any sequence of commands, losses and timers', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const simulation = createSimulation();
      for (const each of steps) {
        await perform(simulation, each);
        checkInvariants(simulation);
        checkTold(simulation);
      }
      // When every connection is lost, time alone brings each call to its end.
      for (const device of simulation.devices) await disconnect(simulation, device);
      simulation.now += RING_MS + GRACE_MS;
      await sweep(simulation, { backwards: false });
      expect([...simulation.calls.values()].filter((call) => !isOver(call))).toEqual([]);
      checkInvariants(simulation);
    }),
    { numRuns: 1500 },
  );
});
