/** What the tests of calls have in common. */
import type { Call } from '../../shared/contract/documents.ts';
import { type Account, connect, type Device, registerMany } from '../support/client.ts';

/** Registers users and connects one device each. */
export async function people(url: string, count: number): Promise<Device[]> {
  const accounts = await registerMany(url, count);
  return Promise.all(accounts.map((account) => connect(url, account)));
}

/** Another device of the same user. */
export const another = (url: string, device: Device | Account) =>
  connect(url, 'account' in device ? device.account : device);

/** A group of the devices' users; the first one makes it. */
export async function groupOf(devices: Device[]): Promise<string> {
  const [first, ...others] = devices as [Device, ...Device[]];
  const member_ids = others.map((device) => device.id);
  const { group } = await first.ok('group:create', { name: 'Calls', member_ids });
  return group._id;
}

/** Starts a pair's call and lets the other one accept it. */
export async function talking(caller: Device, callee: Device): Promise<Call> {
  const { call } = await caller.ok('call:initiate', { recipient_id: callee.id, call_type: 'video' });
  return (await callee.ok('call:accept', { call_id: call._id })).call;
}

/** The next `call:updated` of a call with a reason. */
export const updated = (device: Device, reason: string, userId?: string) =>
  device.next('call:updated', (event) => event.reason === reason && (userId === undefined || event.user_id === userId));

/** The reasons that a device was told, in order. */
export const reasons = (device: Device) => device.seen('call:updated').map((event) => event.reason);
