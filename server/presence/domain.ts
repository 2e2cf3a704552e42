/** Presence, put together: over Redis where there are several nodes, else in memory. */
import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { RedisLink } from '../bus/redis-link.ts';
import type { Audience } from '../conversations/audience.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import type { Collections } from '../model/collections.ts';
import { createMemoryDepartures, createRedisDepartures } from './departures.ts';
import { createMemoryDevices } from './devices.ts';
import { createRedisDevices } from './devices-redis.ts';
import { createPresence, type PresenceService } from './presence.ts';

export interface PresenceDomainOptions {
  collections: Collections;
  bus: Bus;
  audience: Audience;
  /** Undefined on a single node. */
  redis: RedisLink | undefined;
  /** How long a user stays shown after the last device is gone, in milliseconds. */
  graceMs: number;
  clock(): Date;
  log: Logger;
}

export interface PresenceDomain
  extends Pick<PresenceService, 'connected' | 'disconnected' | 'maySee' | 'becameContacts'> {
  handlers: HandlersOf<'presence'>;
  close(): Promise<void>;
}

/** Builds the domain, and takes offline whom an earlier run left online once their grace is over. */
export function createPresenceDomain(options: PresenceDomainOptions): PresenceDomain {
  const { redis, graceMs, log } = options;
  const devices = redis ? createRedisDevices({ link: redis, log }) : createMemoryDevices();
  const departures = redis ? createRedisDepartures(redis, graceMs, log) : createMemoryDepartures(graceMs);
  const presence = createPresence({ ...options, devices, departures });
  presence.settleEarlierRun();
  return {
    ...presence,
    handlers: {
      'presence:set': presence.set,
      'presence:get': (caller, { user_ids }) => presence.get(caller, user_ids),
    },
    async close() {
      presence.close();
      await devices.close();
    },
  };
}
