/** Helpers for tests of calls on a real server. */
import type { Call } from '../../shared/contract/documents.ts';
import { type Account, connect, type Device, registerMany } from '../support/client.ts';

/** How long to wait for an event before the test fails, in milliseconds: no measure of how fast the server is. */
const PATIENCE_MS = 30_000;

/** Timeouts that no test waits for, however slow the machine is. */
export const PATIENT = { CALL_RING_TIMEOUT_MS: '600000', CALL_RECONNECT_GRACE_MS: '600000' };

/** Registers users and connects one device of each. */
export async function people(url: string, count: number): Promise<Device[]> {
  const accounts = await registerMany(url, count);
  return Promise.all(accounts.map((account) => connect(url, account)));
}

/** Connects another device of the same user. */
export const another = (url: string, device: Device | Account) =>
  connect(url, 'account' in device ? device.account : device);

/** Creates a group of the devices' users, by the first device. */
export async function groupOf(devices: Device[]): Promise<string> {
  const [first, ...others] = devices as [Device, ...Device[]];
  const member_ids = others.map((device) => device.id);
  const { group } = await first.ok('group:create', { name: 'Calls', member_ids });
  return group._id;
}

/** Starts a pair's call, which the callee accepts. */
export async function talking(caller: Device, callee: Device): Promise<Call> {
  const { call } = await caller.ok('call:initiate', { recipient_id: callee.id, call_type: 'video' });
  return (await callee.ok('call:accept', { call_id: call._id })).call;
}

/** The first `call:incoming`. */
export const incoming = (device: Device) => device.next('call:incoming', undefined, PATIENCE_MS);

/** The first `call:signal`. */
export const signalled = (device: Device) => device.next('call:signal', undefined, PATIENCE_MS);

/** The first `call:updated` with a reason, about a user if one is given. */
export const updated = (device: Device, reason: string, userId?: string) =>
  device.next(
    'call:updated',
    (event) => event.reason === reason && (userId === undefined || event.user_id === userId),
    PATIENCE_MS,
  );

/** The reasons that a device was told, in order. */
export const reasons = (device: Device) => device.seen('call:updated').map((event) => event.reason);
