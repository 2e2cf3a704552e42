/** The parts of presence, put together over given registries of devices and departures. */
import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { Audience } from '../conversations/audience.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import { createKeyedQueue } from '../lib/keyed-queue.ts';
import type { Collections } from '../model/collections.ts';
import { createBackground } from './background.ts';
import { createPresenceCommands } from './commands.ts';
import { type Connections, createConnections } from './connections.ts';
import type { Departures } from './departures.ts';
import type { DeviceRegistry } from './devices.ts';
import { settleEarlierRun } from './earlier-run.ts';
import { createPresenceStore } from './presence-store.ts';
import { createSettlement } from './settlement.ts';
import { createTimers } from './timers.ts';
import { createWatchers, type Watchers } from './watchers.ts';

export interface PresenceOptions {
  collections: Pick<Collections, 'presence' | 'users'>;
  audience: Audience;
  devices: DeviceRegistry;
  departures: Departures;
  bus: Bus;
  /** How long a user stays shown after the last device has left, in milliseconds. */
  graceMs: number;
  clock(): Date;
  log: Logger;
}

export interface PresenceDomain
  extends Pick<Connections, 'connected' | 'disconnected'>,
    Pick<Watchers, 'becameContacts'> {
  handlers: HandlersOf<'presence'>;
  /** How many connections a user has, on all nodes. */
  connectionsOf(userId: string): Promise<number>;
  /** The sessions of users that have a connection, on other nodes at least: a node knows its own. */
  sessionsOf(userIds: string[]): Promise<string[]>;
  /** Erases what a user told, except the status. Repeatable. */
  erase(userId: string): Promise<void>;
  close(): Promise<void>;
}

/** Also takes those offline whom an earlier run left online, once their grace period is over. */
export function createPresence(options: PresenceOptions): PresenceDomain {
  const { collections, audience, devices, bus } = options;
  const store = createPresenceStore(collections);
  const watchers = createWatchers({ audience, store, bus });
  const queue = createKeyedQueue('presence');
  const timers = createTimers((userId) => void background.settleAgain(userId));
  const settlement = createSettlement({ ...options, store, watchers, lookAgain: timers.start });
  const background = createBackground({ ...options, queue, settlement, timers });
  const connections = createConnections({ ...options, settlement, background, timers });
  const earlierRun = settleEarlierRun({ ...options, store, background });

  return {
    connected: connections.connected,
    disconnected: connections.disconnected,
    becameContacts: watchers.becameContacts,
    connectionsOf: (userId) => queue.run(userId, async () => (await devices.statuses([userId]))[0]!.length),
    sessionsOf: devices.sessions,
    erase: store.eraseDetails,
    handlers: createPresenceCommands({ audience, store, queue, connections, settlement }),
    async close() {
      earlierRun.close();
      timers.close();
      await devices.close();
    },
  };
}
