import type { Status } from './status.ts';

/** The devices on this node by user. Users without devices take no memory. */
export interface DeviceTable {
  /** Adds a device, or changes its status. */
  put(userId: string, device: string, status: Status): void;
  /** Returns whether that was the user's last device. */
  remove(userId: string, device: string): boolean;
  devicesOf(userId: string): ReadonlyMap<string, Status>;
  statusesOf(userId: string): Status[];
  /** The users with devices. */
  userIds(): string[];
}

const NONE: ReadonlyMap<string, Status> = new Map();

export function createDeviceTable(): DeviceTable {
  const users = new Map<string, Map<string, Status>>();
  const devicesOf = (userId: string) => users.get(userId) ?? NONE;
  return {
    put(userId, device, status) {
      const devices = users.get(userId) ?? new Map<string, Status>();
      users.set(userId, devices.set(device, status));
    },
    remove(userId, device) {
      const devices = users.get(userId);
      devices?.delete(device);
      return devices?.size === 0 && users.delete(userId);
    },
    devicesOf,
    statusesOf: (userId) => [...devicesOf(userId).values()],
    userIds: () => [...users.keys()],
  };
}
