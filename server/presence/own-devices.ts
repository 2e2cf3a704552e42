/**
 * The devices on this node, as Redis should hold them. A user still counts to this node for a while after the last
 * device left, so that another node settles the user's presence if this one dies before it has.
 */
import { createDeviceTable, type DeviceTable } from './device-table.ts';
import type { Status } from './status.ts';

/** How long a user counts after the last device left, in milliseconds. */
const LEAVING_MS = 20_000;

export interface OwnDevices extends DeviceTable {
  /** Adds a device, or changes its status. */
  put(userId: string, device: string, status: Status, sessionId?: string): void;
  /** The session of a device; empty where it is not known. */
  sessionOf(device: string): string;
  /** Whether the user's last device left lately. */
  isLeaving(userId: string): boolean;
  /** Users whose last device left too long ago to count; they stay listed until they are forgotten. */
  longGone(): string[];
  forget(userIds: string[]): void;
}

export function createOwnDevices(): OwnDevices {
  const table = createDeviceTable();
  /** When the last device of each user left, by `performance.now()`. */
  const leftAt = new Map<string, number>();
  const sessions = new Map<string, string>();
  return {
    ...table,
    put(userId, device, status, sessionId) {
      table.put(userId, device, status);
      if (sessionId !== undefined) sessions.set(device, sessionId);
      leftAt.delete(userId);
    },
    sessionOf: (device) => sessions.get(device) ?? '',
    remove(userId, device) {
      sessions.delete(device);
      const wasLast = table.remove(userId, device);
      if (wasLast) leftAt.set(userId, performance.now());
      return wasLast;
    },
    isLeaving: (userId) => leftAt.has(userId),
    longGone: () => [...leftAt].filter(([, at]) => performance.now() - at > LEAVING_MS).map(([userId]) => userId),
    forget(userIds) {
      for (const userId of userIds) leftAt.delete(userId);
    },
  };
}
