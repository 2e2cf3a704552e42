/** Users, devices and calls in memory, driven through the real state machine and its changes. */
import type { Bus } from '../../server/bus/bus.ts';
import { type Call, deviceOf, isOver, isUnanswered, seatOf } from '../../server/calls/call.ts';
import { type Changes, type ChangesOptions, createChanges } from '../../server/calls/changes.ts';
import { overdue } from '../../server/calls/deadline.ts';
import type { CallEvent } from '../../server/calls/event.ts';
import { newCall, ringingFor } from '../../server/calls/new-call.ts';
import { ContractError } from '../../server/lib/errors.ts';

export const RING_MS = 45_000;
export const GRACE_MS = 15_000;
/** How many users may be in the group's call at once. */
export const MAX = 2;
const USERS = ['a', 'b', 'c'] as const;
/** The user of each device. */
const DEVICES = ['a', 'a', 'b', 'c'] as const;

export interface SimulatedDevice {
  user: string;
  socket: string;
  connected: boolean;
  /** The last state of each call that it was told, by event or acknowledgement, since it connected. */
  told: Map<string, string>;
}

export interface Simulation {
  now: number;
  calls: Map<string, Call>;
  /** How often each call was answered, and when. */
  answers: Map<string, Date[]>;
  devices: SimulatedDevice[];
  changes: Changes;
}

export function createSimulation(): Simulation {
  const simulation: Omit<Simulation, 'changes'> = {
    now: 1_000_000,
    calls: new Map(),
    answers: new Map(),
    devices: DEVICES.map((user, i) => ({ user, socket: `s${i}`, connected: true, told: new Map() })),
  };
  const clock = () => new Date(simulation.now);
  const changes = createChanges({ store: memoryStore(simulation), bus: memoryBus(simulation), max: MAX, clock });
  // The same object: the clock reads what `pass` writes.
  return Object.assign(simulation, { changes });
}

/** What the unique indexes enforce. */
function isDuplicate(calls: Map<string, Call>, call: Call): boolean {
  if (isOver(call)) return false;
  return [...calls.values()].some(
    (other) =>
      other.id !== call.id &&
      !isOver(other) &&
      (other.conversation_id === call.conversation_id || call.seats.some((seat) => seatOf(other, seat.user_id))),
  );
}

function memoryStore({ calls, answers }: Pick<Simulation, 'calls' | 'answers'>): ChangesOptions['store'] {
  return {
    find: async (id) => calls.get(id),
    async advance(call) {
      const before = calls.get(call.id)!;
      if (before.version !== call.version - 1) return false;
      if (isDuplicate(calls, call)) throw new ContractError('busy', 'in another call');
      if (isOver(before)) throw new Error('a final state was changed');
      if (isUnanswered(before) && call.status === 'ongoing') {
        answers.set(call.id, [...(answers.get(call.id) ?? []), call.answered_at!]);
      }
      calls.set(call.id, call);
      return true;
    },
  };
}

function memoryBus({ devices }: Pick<Simulation, 'devices'>): Bus {
  const bus: Pick<Bus, 'emit'> = {
    emit(to, _event, payload, except) {
      if (!('users' in to) || !('call' in payload)) throw new Error('calls are told to users');
      for (const device of devices) {
        if (device.connected && to.users.includes(device.user) && device.socket !== except?.socket) {
          device.told.set(payload.call._id, payload.call.status);
        }
      }
    },
  };
  return bus as Bus;
}

/** @param event undefined to let only time take effect */
export async function happen(
  { changes }: Simulation,
  call: Call,
  event: CallEvent | undefined,
  device?: SimulatedDevice,
): Promise<void> {
  try {
    const after = event ? await changes.apply(call.id, event, device?.socket) : await changes.applyOverdue(call.id);
    device?.told.set(after.id, after.status);
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
  }
}

/** @param recipient undefined to call the group */
export function initiate({ calls, devices, now }: Simulation, device: SimulatedDevice, recipient?: string): void {
  if (!device.connected || recipient === device.user) return;
  const others = recipient ? [recipient] : USERS.filter((user) => user !== device.user);
  // Users in a call are not rung.
  const callees = others.filter((id) => ![...calls.values()].some((call) => seatOf(call, id)));
  if (recipient && callees.length === 0) return;
  const target = recipient ? { recipient_id: recipient } : { group_id: 'group' };
  const conversationId = recipient ? [device.user, recipient].sort().join('-') : 'group';
  const from = { socket_id: device.socket, node_id: 'n' };
  const draft = newCall(device.user, from, conversationId, { ...target, call_type: 'voice' }, new Date(now));
  const call = ringingFor(draft, callees, RING_MS);
  if (isDuplicate(calls, call)) return;
  calls.set(call.id, call);
  for (const each of devices) {
    if (each.connected && call.told_ids.includes(each.user)) each.told.set(call.id, 'initiated');
  }
}

export async function disconnect(simulation: Simulation, device: SimulatedDevice): Promise<void> {
  if (!device.connected) return;
  device.connected = false;
  device.told.clear();
  const until = new Date(simulation.now + GRACE_MS);
  for (const call of simulation.calls.values()) {
    const seat = deviceOf(seatOf(call, device.user));
    if (seat?.socket_id !== device.socket) continue;
    await happen(simulation, call, { type: 'disconnect', user: device.user, device: seat, until });
  }
}

export function reconnect({ calls }: Simulation, device: SimulatedDevice): void {
  if (device.connected) return;
  device.connected = true;
  device.socket += "'";
  // What `sync` tells a device that comes back.
  for (const call of calls.values()) {
    if (!isOver(call) && call.told_ids.includes(device.user)) device.told.set(call.id, call.status);
  }
}

export async function sweep(simulation: Simulation, { backwards }: { backwards: boolean }): Promise<void> {
  const now = new Date(simulation.now);
  const found = [...simulation.calls.values()].filter((call) => overdue(call, now));
  if (backwards) found.reverse();
  for (const call of found) await happen(simulation, call, undefined);
}
