/** Budgets over all nodes: each step is one script in Redis, by the clock of Redis. */
import type { Logger } from 'pino';
import type { RedisLink } from '../bus/redis-link.ts';
import { withDeadline } from '../lib/deadline.ts';
import type { RateLimiter, RateRule } from './rate-limits.ts';

const PREFIX = 'letsapp:rate:';
const WINDOW_PREFIX = 'letsapp:window:';
/** How long to wait for Redis before this node counts by itself, in milliseconds. */
const PATIENCE_MS = 200;

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]`;

/**
 * The arrival time of GCRA. Where it lies further ahead than any charge can have put it, the clock of Redis was set back.
 */
const ARRIVAL = `${NOW}
local tolerance = tonumber(ARGV[2])
local arrival = tonumber(redis.call('GET', KEYS[1])) or now
if arrival > now + 2 * tolerance then arrival = now end
local next = math.max(arrival, now) + ARGV[1] * ARGV[3]
local function store(arrival)
  redis.call('SET', KEYS[1], string.format('%.0f', arrival), 'PX', math.ceil((arrival - now) / 1000) + 1)
end`;

/** `gcra` of rate-limits.ts in microseconds. Arguments: interval, tolerance, amount. Returns how long to wait. */
const RATE_STEP = `${ARRIVAL}
if next - now > tolerance then return math.max(1, next - now - tolerance) end
store(next)
return 0`;

/** `charge` of rate-limits.ts, with the same arguments. */
const CHARGE_STEP = `${ARRIVAL}
store(math.min(next, now + 2 * tolerance))`;

/**
 * The sliding window, in microseconds. Arguments: count, length, amount. Returns how long to wait. The list holds at
 * most `count` times, the oldest first; one that lies ahead is from before the clock of Redis was set back.
 */
const WINDOW_STEP = `${NOW}
local length = tonumber(ARGV[2])
local oldest = tonumber(redis.call('LINDEX', KEYS[1], 0))
while oldest and (oldest <= now - length or oldest > now) do
  redis.call('LPOP', KEYS[1])
  oldest = tonumber(redis.call('LINDEX', KEYS[1], 0))
end
local tooMany = redis.call('LLEN', KEYS[1]) + ARGV[3] - ARGV[1]
if tooMany > 0 then
  return math.max(1, (tonumber(redis.call('LINDEX', KEYS[1], tooMany - 1)) or now) + length - now)
end
for _ = 1, tonumber(ARGV[3]) do redis.call('RPUSH', KEYS[1], string.format('%.0f', now)) end
redis.call('PEXPIRE', KEYS[1], math.ceil(length / 1000) + 1)
return 0`;

interface WithSteps {
  letsappRate(key: string, interval: number, tolerance: number, amount: number): Promise<number>;
  letsappCharge(key: string, interval: number, tolerance: number, amount: number): Promise<null>;
  letsappWindow(key: string, count: number, length: number, amount: number): Promise<number>;
}

/** How long one request takes to come back, in microseconds. */
function intervalOf({ count, per }: RateRule): number {
  return Math.round((per / count) * 1000);
}

/** @param local counts along, and decides while Redis does not answer: a budget does not begin anew then */
export function createRedisRateLimiter(link: RedisLink, local: RateLimiter, log: Logger): RateLimiter {
  link.commands.defineCommand('letsappRate', { numberOfKeys: 1, lua: RATE_STEP });
  link.commands.defineCommand('letsappCharge', { numberOfKeys: 1, lua: CHARGE_STEP });
  link.commands.defineCommand('letsappWindow', { numberOfKeys: 1, lua: WINDOW_STEP });
  const redis = link.commands as unknown as WithSteps;

  function step(key: string, { count, per, burst }: RateRule, amount: number): Promise<number> {
    if (burst === undefined) return redis.letsappWindow(WINDOW_PREFIX + key, count, per * 1000, amount);
    const interval = intervalOf({ count, per });
    return redis.letsappRate(PREFIX + key, interval, interval * burst, amount);
  }

  return {
    async take(key, rule, amount = 1) {
      if (!link.isUp()) return local.take(key, rule, amount);
      try {
        const wait = (await withDeadline(step(key, rule, amount), PATIENCE_MS)) / 1000;
        if (wait === 0) void local.take(key, rule, amount);
        return wait;
      } catch (err) {
        log.debug({ err }, 'this node counts by itself');
        return local.take(key, rule, amount);
      }
    },
    charge(key, rule, amount) {
      local.charge(key, rule, amount);
      if (!link.isUp()) return;
      const interval = intervalOf(rule);
      redis.letsappCharge(PREFIX + key, interval, interval * rule.burst, amount).catch((err: unknown) => {
        log.debug({ err }, 'this node counts by itself');
      });
    },
  };
}
