/** The presence domain: over Redis with several nodes, in memory with one. */
import type { RedisLink } from '../bus/redis-link.ts';
import { createMemoryDepartures } from './departures.ts';
import { createRedisDepartures } from './departures-redis.ts';
import { createMemoryDevices } from './devices.ts';
import { createRedisDevices } from './devices-redis.ts';
import { createPresence, type PresenceDomain, type PresenceOptions } from './presence.ts';

export interface PresenceDomainOptions extends Omit<PresenceOptions, 'devices' | 'departures'> {
  /** Undefined on a single node. */
  redis: RedisLink | undefined;
}

export function createPresenceDomain(options: PresenceDomainOptions): PresenceDomain {
  const { redis, graceMs, log } = options;
  return createPresence({
    ...options,
    devices: redis ? createRedisDevices({ link: redis, log }) : createMemoryDevices(),
    departures: redis ? createRedisDepartures(redis, graceMs, log) : createMemoryDepartures(graceMs),
  });
}
