import { type Account, connect, type Device, registerMany, settle } from '../support/client.ts';
import type { TestServer } from '../support/server.ts';

/** A user id of nobody. */
export const NOBODY = '0'.repeat(24);

/** Two people with two devices each. */
export interface Two {
  ann: Device;
  annsLaptop: Device;
  bob: Device;
  bobsLaptop: Device;
  all: Device[];
  accounts: Account[];
}

export async function makeTwo(server: TestServer): Promise<Two> {
  const accounts = await registerMany(server.url, 2);
  const all = await Promise.all([0, 0, 1, 1].map((who) => connect(server.url, accounts[who]!)));
  const [ann, annsLaptop, bob, bobsLaptop] = all as [Device, Device, Device, Device];
  return { ann, annsLaptop, bob, bobsLaptop, all, accounts };
}

export function forget(devices: Device[]): void {
  for (const device of devices) device.clear();
}

export async function makeContacts({ ann, bob, all }: Two): Promise<void> {
  await ann.ok('contact:request', { user_id: bob.id });
  await bob.ok('contact:accept', { user_id: ann.id });
  await settle(...all);
  forget(all);
}

/** The state of a user's document about another, e.g. `pending out`; undefined if there is none. */
export async function stateOf(device: Device, other: Device): Promise<string | undefined> {
  const { contacts } = await device.ok('contact:list', {});
  const found = contacts.filter((contact) => contact.contact_id === other.id);
  if (found.length > 1) throw new Error('two documents of one owner about the same user');
  return found[0] && [found[0].status, found[0].direction].filter(Boolean).join(' ');
}

export const statesOf = ({ ann, bob }: Two) => Promise.all([stateOf(ann, bob), stateOf(bob, ann)]);
