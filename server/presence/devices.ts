/** Which devices of a user are connected, on any node, and how available each is. */
import type { PresenceDocument } from '../model/documents/presence.ts';

export type Status = PresenceDocument['status'];

/** A device is a socket. Implementations: memory (one node), Redis (several). */
export interface DeviceRegistry {
  /** Whether other nodes have devices in it, too. */
  readonly isShared: boolean;
  /** Adds a device, or changes its status. */
  put(userId: string, device: string, status: Status): Promise<void>;
  remove(userId: string, device: string): Promise<void>;
  /** The statuses of the live devices of each user, in the order asked; empty for who has none. */
  statuses(userIds: string[]): Promise<Status[][]>;
  /**
   * Calls back with users whose devices may be other ones than was told: a node that held some died, or came back.
   * Undefined: that may be so for anybody.
   */
  onVanished(callback: (userIds: string[] | undefined) => void): void;
  close(): Promise<void>;
}

/** The devices of a single node: they live as long as it does. */
export function createMemoryDevices(): DeviceRegistry {
  const users = new Map<string, Map<string, Status>>();
  return {
    isShared: false,
    async put(userId, device, status) {
      const devices = users.get(userId) ?? new Map<string, Status>();
      devices.set(device, status);
      users.set(userId, devices);
    },
    async remove(userId, device) {
      const devices = users.get(userId);
      devices?.delete(device);
      if (devices?.size === 0) users.delete(userId);
    },
    statuses: async (userIds) => userIds.map((id) => [...(users.get(id)?.values() ?? [])]),
    onVanished: () => {},
    close: async () => {},
  };
}

/** What all devices of a user come to: busy set by hand outranks, then the most available one counts. */
export function aggregate(statuses: Status[]): Status {
  const ranking: Status[] = ['busy', 'online', 'away'];
  return ranking.find((status) => statuses.includes(status)) ?? 'offline';
}
