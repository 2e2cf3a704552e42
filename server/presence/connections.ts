/** The devices that are connected to this node, and what they are set to. */
import type { DeviceInfo } from '../model/documents/accounts.ts';
import type { Background } from './background.ts';
import type { Departures } from './departures.ts';
import type { DeviceRegistry } from './devices.ts';
import type { Settlement } from './settlement.ts';
import type { Status } from './status.ts';
import type { Timers } from './timers.ts';

export interface Connections {
  connected(userId: string, sessionId: string, device: string, info: DeviceInfo | undefined): void;
  disconnected(userId: string, sessionId: string, device: string): void;
  /** Sets the status of a device, if it is still connected. To be called in the user's turn. */
  set(userId: string, device: string, status: Status): Promise<void>;
}

export interface ConnectionsOptions {
  devices: DeviceRegistry;
  departures: Departures;
  settlement: Settlement;
  background: Background;
  timers: Timers;
  /** How long a user stays shown after the last device has left, in milliseconds. */
  graceMs: number;
}

export function createConnections(options: ConnectionsOptions): Connections {
  const { devices, departures, settlement, background, timers, graceMs } = options;
  const statusOf = new Map<string, Status>();

  return {
    connected(userId, sessionId, device, info) {
      void background.run(userId, async () => {
        const status = (await departures.statusOf(sessionId)) ?? 'online';
        statusOf.set(device, status);
        await devices.put(userId, device, status, sessionId);
        await settlement.settle(userId, {}, info);
      });
    },

    disconnected(userId, sessionId, device) {
      void background.run(userId, async () => {
        const status = statusOf.get(device) ?? 'online';
        statusOf.delete(device);
        // Without a device here, another node may write without this one noticing.
        settlement.forget(userId);
        // In this order: to every other node, whoever is in neither has gone.
        await departures.add(userId, sessionId, status);
        await devices.remove(userId, device);
      });
      timers.start(userId, graceMs);
    },

    async set(userId, device, status) {
      // If the device has left meanwhile, nobody would take it out of the registry again.
      if (!statusOf.has(device)) return;
      statusOf.set(device, status);
      await devices.put(userId, device, status);
    },
  };
}
