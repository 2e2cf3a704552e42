/** Budgets over all nodes: the step of GCRA as one script in Redis, by the clock of Redis. */
import type { Logger } from 'pino';
import type { RedisLink } from '../redis/link.ts';
import type { RateLimiter } from './rate-limits.ts';

const PREFIX = 'letsapp:rate:';
/** How long the answer of Redis is waited for before the node counts by itself, in milliseconds. */
const PATIENCE_MS = 200;

/** As `gcra` in rate-limits.ts, on microseconds. Arguments: interval, tolerance. Returns how long to wait. */
const STEP = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local arrival = tonumber(redis.call('GET', KEYS[1])) or now
local next = math.max(arrival, now) + ARGV[1]
if next - now > tonumber(ARGV[2]) then return math.max(1, next - now - ARGV[2]) end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000) + 1)
return 0`;

interface WithStep {
  letsappRate(key: string, interval: number, tolerance: number): Promise<number>;
}

/** @param local counts while Redis does not answer */
export function createRedisRateLimiter(link: RedisLink, local: RateLimiter, log: Logger): RateLimiter {
  link.commands.defineCommand('letsappRate', { numberOfKeys: 1, lua: STEP });
  const redis = link.commands as unknown as WithStep;

  return {
    async take(key, rule) {
      if (!link.isUp()) return local.take(key, rule);
      const interval = Math.round((rule.per / rule.count) * 1000);
      const tolerance = interval * (rule.burst ?? rule.count);
      let timer: NodeJS.Timeout | undefined;
      try {
        const late = new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(new Error('Redis is slow')), PATIENCE_MS);
        });
        return (await Promise.race([redis.letsappRate(PREFIX + key, interval, tolerance), late])) / 1000;
      } catch (err) {
        log.debug({ err }, 'this node counts by itself');
        return local.take(key, rule);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
