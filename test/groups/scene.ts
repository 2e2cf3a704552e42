import { type Account, connect, type Device, registerMany } from '../support/client.ts';
import type { TestServer } from '../support/server.ts';

/** A user id of nobody. */
export const NOBODY = '0'.repeat(24);

export interface Scene {
  /** The group's id. */
  id: string;
  /** One device per member, the creator's first; none has an event recorded. */
  devices: Device[];
  accounts: Account[];
}

/** A group of a creator and as many others. */
export async function makeGroup(server: TestServer, others: number): Promise<Scene> {
  const accounts = await registerMany(server.url, others + 1);
  const devices = await Promise.all(accounts.map((account) => connect(server.url, account)));
  return { id: await makeGroupOf(devices), devices, accounts };
}

/** A group that the first of the devices makes of all; returns its id. No device has an event recorded then. */
export async function makeGroupOf(devices: Device[]): Promise<string> {
  const [creator, ...rest] = devices;
  const { group } = await creator!.ok('group:create', { name: 'Choir', member_ids: rest.map((one) => one.id) });
  await Promise.all(rest.map((one) => one.next('group:updated', (news) => news.group._id === group._id)));
  for (const one of devices) one.clear();
  return group._id;
}
