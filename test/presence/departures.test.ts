import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRedisLink, type RedisLink } from '../../server/bus/redis-link.ts';
import { createMemoryDepartures, type Departures } from '../../server/presence/departures.ts';
import { createRedisDepartures } from '../../server/presence/departures-redis.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const log = pino({ level: 'silent' });
const LONG_MS = 600_000;
const someId = () => randomBytes(12).toString('hex');
let redis: TestRedis;
let links: RedisLink[];

beforeAll(async () => {
  redis = await startRedis();
  links = [0, 1].map(() => createRedisLink({ urls: [redis.url], clock: () => new Date(), log }));
  await Promise.all(links.map((link) => link.untilUp(30_000)));
});

afterAll(async () => {
  await Promise.all(links.map((link) => link.close()));
  await redis.stop();
});

const implementations: [string, (graceMs: number) => Departures][] = [
  ['in memory', createMemoryDepartures],
  ['in Redis', (graceMs) => createRedisDepartures(links[0]!, graceMs, log)],
];

describe.each(implementations)('departures %s', (_name, create) => {
  it('know nothing of users and sessions that did not leave', async () => {
    const departures = create(LONG_MS);
    await departures.add(someId(), someId(), 'busy');
    expect(await departures.statusOf(someId())).toBeUndefined();
    expect(await departures.graceLeft(someId())).toBe(0);
  });

  it('keep the status of each session, and the rest of the grace period of each user', async () => {
    const departures = create(LONG_MS);
    const [user, phone, laptop] = [someId(), someId(), someId()];
    await departures.add(user, phone, 'busy');
    await departures.add(user, laptop, 'away');
    expect(await departures.statusOf(phone)).toBe('busy');
    expect(await departures.statusOf(laptop)).toBe('away');
    const left = await departures.graceLeft(user);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(LONG_MS);
  });

  it('count from the device of a user that left last', async () => {
    const [user, session] = [someId(), someId()];
    const departures = create(LONG_MS);
    await departures.add(user, session, 'away');
    await expect.poll(() => departures.graceLeft(user)).toBeLessThan(LONG_MS - 100);
    const before = await departures.graceLeft(user);
    await departures.add(user, session, 'online');
    expect(await departures.graceLeft(user)).toBeGreaterThan(before);
    expect(await departures.statusOf(session)).toBe('online');
  });

  it('forget all when the grace period is over', async () => {
    const departures = create(50);
    const [user, session] = [someId(), someId()];
    await departures.add(user, session, 'away');
    await expect.poll(() => departures.statusOf(session)).toBeUndefined();
    await expect.poll(() => departures.graceLeft(user)).toBe(0);
  });

  it('remember nothing without a grace period', async () => {
    const departures = create(0);
    const [user, session] = [someId(), someId()];
    await departures.add(user, session, 'away');
    expect(await departures.graceLeft(user)).toBe(0);
    await expect.poll(() => departures.statusOf(session)).toBeUndefined();
  });
});

it('departures in Redis are known to every node', async () => {
  const [one, two] = links.map((link) => createRedisDepartures(link, LONG_MS, log));
  const [user, session] = [someId(), someId()];
  await one!.add(user, session, 'busy');
  expect(await two!.statusOf(session)).toBe('busy');
  expect(await two!.graceLeft(user)).toBeGreaterThan(0);
});
