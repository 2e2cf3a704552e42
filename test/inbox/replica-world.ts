/** Four users in two groups; one of them is watched through a client that never leaves and one that drops and returns. */
import { type Account, connect, type Device, registerMany, settle } from '../support/client.ts';
import {
  chatKey,
  type DropOrReturn,
  GROUPS,
  type Known,
  toCommand,
  USERS,
  type UserOperation,
} from './random-operations.ts';
import { createReplica, type Replica, type SyncOptions } from './replica.ts';

/** Refusals that random operations run into. */
const EXPECTED = new Set(['forbidden', 'not_found', 'conflict', 'validation_failed']);

const EVERYTHING: SyncOptions = { limit: 500, useSince: false, useCursor: false, newest: undefined };

export interface World {
  /** Whose clients are compared. */
  watched: Account;
  /** The client that never leaves. */
  steady: Replica;
  steadyDevice: Device;
  /** The client that drops and returns. */
  flaky: Replica;
  carryOut(operation: UserOperation | DropOrReturn): Promise<void>;
  /** Brings the flaky client back and lets everything arrive. */
  settle(): Promise<void>;
  /** A client that was never there before. */
  createFresh(options: SyncOptions): Promise<Replica>;
  close(): void;
}

export async function createWorld(url: string): Promise<World> {
  const accounts = await registerMany(url, USERS);
  const devices = await Promise.all(accounts.map((account) => connect(url, account)));
  const watched = accounts[0]!;
  const known = await createGroups(accounts, devices);
  const steady = createReplica(watched.id, true);
  const steadyDevice = await connect(url, watched);
  steady.attach(steadyDevice);
  await steady.sync(steadyDevice, EVERYTHING);

  const flaky = createReplica(watched.id, false);
  let flakyDevice: Device | undefined;
  async function comeBack(options: SyncOptions): Promise<void> {
    flakyDevice = await connect(url, watched);
    flaky.attach(flakyDevice);
    await flaky.sync(flakyDevice, options);
  }
  async function dropOrReturn({ options }: DropOrReturn): Promise<void> {
    if (!flakyDevice) return comeBack(options);
    flaky.detach();
    flakyDevice.close();
    flakyDevice = undefined;
  }
  await comeBack(EVERYTHING);

  return {
    watched,
    steady,
    steadyDevice,
    flaky,
    carryOut: (operation) =>
      operation.do === 'drop or return'
        ? dropOrReturn(operation)
        : sendCommand(devices[operation.user]!, operation, known),
    async settle() {
      if (!flakyDevice) await comeBack({ ...EVERYTHING, limit: 20, useSince: true, useCursor: true });
      await settle(steadyDevice, flakyDevice!, ...devices);
      await flaky.readOlder(flakyDevice!);
    },
    async createFresh(options) {
      const fresh = createReplica(watched.id, false);
      const device = await connect(url, watched);
      fresh.attach(device);
      await fresh.sync(device, options);
      await fresh.readOlder(device);
      device.close();
      return fresh;
    },
    close() {
      for (const device of [...devices, steadyDevice, flakyDevice]) device?.close();
    },
  };
}

/** Groups with everybody in them, each created by another user. */
async function createGroups(accounts: Account[], devices: Device[]): Promise<Known> {
  const userIds = accounts.map((account) => account.id);
  const groupIds: string[] = [];
  for (let i = 0; i < GROUPS; i++) {
    const member_ids = userIds.filter((_, member) => member !== i);
    const { group } = await devices[i]!.ok('group:create', { name: `G${i}`, member_ids });
    groupIds.push(group._id);
  }
  return { userIds, groupIds, sent: [], newest: new Map() };
}

async function sendCommand(device: Device, operation: UserOperation, known: Known): Promise<void> {
  const command = toCommand(operation, known);
  if (!command) return;
  const { ok, data, error } = await device.raw(command.name, command.payload);
  if (!ok && !EXPECTED.has(error!.code)) throw new Error(JSON.stringify(error));
  if (!ok || operation.do !== 'send') return;
  const { message } = data as { message: { _id: string; seq: number } };
  known.sent.push(message._id);
  const key = chatKey(operation.user, operation.chat);
  known.newest.set(key, Math.max(known.newest.get(key) ?? 0, message.seq));
}
