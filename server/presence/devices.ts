/** Which devices of a user are connected, on any node, and how available each is. A device is a socket. */
import { createDeviceTable } from './device-table.ts';
import type { Status } from './status.ts';

/** Implementations: in memory (one node) and in Redis (several). */
export interface DeviceRegistry {
  /** Whether other nodes have devices in it too. */
  readonly isShared: boolean;
  /** Adds a device, or changes its status. The session of a device never changes. */
  put(userId: string, device: string, status: Status, sessionId?: string): Promise<void>;
  remove(userId: string, device: string): Promise<void>;
  /** The statuses of the live devices of each user, in the order asked; empty for a user without devices. */
  statuses(userIds: string[]): Promise<Status[][]>;
  /** The sessions of users that have a device, on other nodes at least: a node knows its own sockets. */
  sessions(userIds: string[]): Promise<string[]>;
  /**
   * Calls back with the users whose devices may have changed without a call: a node that held some died, or came back.
   * Undefined: anybody's may have.
   */
  onVanished(callback: (userIds: string[] | undefined) => void): void;
  close(): Promise<void>;
}

/** The devices of a single node: they live as long as it does. */
export function createMemoryDevices(): DeviceRegistry {
  const table = createDeviceTable();
  return {
    isShared: false,
    put: async (userId, device, status) => table.put(userId, device, status),
    remove: async (userId, device) => void table.remove(userId, device),
    statuses: async (userIds) => userIds.map(table.statusesOf),
    sessions: async () => [],
    onVanished: () => {},
    close: async () => {},
  };
}
