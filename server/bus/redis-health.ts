/**
 * Whether Redis is there. That a socket is open proves nothing (it may be half-open): each second a beat goes through
 * Redis, and Redis is away once one is not heard.
 */
import type { Logger } from 'pino';
import type { Heartbeat } from './redis-heartbeat.ts';

/** How often the way through Redis is tried, in milliseconds. */
const BEAT_MS = 1000;
/** After this many beats unheard in a row, the connections are made anew. */
const MISSED_BEATS = 3;

export interface Recovery {
  /** What was published after this moment, in milliseconds, may not have reached this node. */
  since: number;
  /** Whether publications of this node may not have reached the others. */
  lostOwn: boolean;
}

export interface RedisHealth {
  isUp(): boolean;
  /** The last moment, in milliseconds, at which everything went through; undefined while everything does. */
  cutOffSince(): number | undefined;
  /** Resolves when Redis is there, or after the given milliseconds. */
  untilUp(timeoutMs: number): Promise<void>;
  onRecovered(callback: (recovery: Recovery) => void): void;
  /** To be called when a connection is ready: subscribes to everything, and tries the way through. */
  establish(): Promise<void>;
  /** To be called when a connection is lost. */
  lose(why: string): void;
  /** Takes a beat that arrived. */
  hear(channel: string, payload: string): void;
  close(): void;
}

export interface RedisHealthOptions {
  heartbeat: Heartbeat;
  clock(): Date;
  /** Whether the connections that publish and subscribe are ready. */
  isReady(): boolean;
  subscribeAll(): Promise<void>;
  /** How many publications of this node were lost since the last reset. */
  lost(): number;
  resetLost(): void;
  restartHanging(): void;
  reconnect(): void;
  log: Logger;
}

/** Begins to watch; Redis counts as away at first. */
export function createRedisHealth(options: RedisHealthOptions): RedisHealth {
  const { heartbeat, isReady, lost, log } = options;
  const waiters = createWaiters();
  let recovered: (recovery: Recovery) => void = () => {};
  let up = false;
  let closing = false;
  let establishing = false;
  let lastGood = options.clock().getTime();
  let unheard = 0;

  async function establish(): Promise<void> {
    if (up || closing || establishing || !isReady()) return;
    establishing = true;
    try {
      await options.subscribeAll();
      heartbeat.send();
    } catch (err) {
      log.debug({ err }, 'not subscribed');
    } finally {
      establishing = false;
    }
  }

  function lose(why: string): void {
    if (!up || closing) return;
    up = false;
    log.warn({ why }, 'redis is away: until it is back, live events reach this node only');
  }

  function hear(channel: string, payload: string): void {
    const at = heartbeat.hear(channel, payload);
    if (at === undefined) return;
    unheard = 0;
    const since = lastGood;
    lastGood = at;
    const lostOwn = lost() > 0;
    if (up && !lostOwn) return;
    if (!up) log.info('redis is there');
    if (lostOwn) log.warn({ lost: lost() }, 'publications were lost: the other nodes are asked to read the database');
    up = true;
    options.resetLost();
    waiters.release();
    recovered({ since, lostOwn });
  }

  function beat(): void {
    options.restartHanging();
    if (!isReady()) return;
    if (up) heartbeat.send();
    else void establish();
    unheard++;
    if (unheard <= MISSED_BEATS) return;
    unheard = 0;
    lose('it does not answer');
    options.reconnect();
  }

  const beating = setInterval(beat, BEAT_MS);
  beating.unref();

  return {
    isUp: () => up,
    cutOffSince: () => (up && lost() === 0 ? undefined : lastGood),
    untilUp: (timeoutMs) => (up ? Promise.resolve() : waiters.wait(timeoutMs)),
    onRecovered(callback) {
      recovered = callback;
    },
    establish,
    lose,
    hear,
    close() {
      closing = true;
      clearInterval(beating);
    },
  };
}

/** Holds callers up until they are released, or their patience, in milliseconds, has ended. */
function createWaiters() {
  const waiting = new Set<() => void>();
  return {
    wait: (timeoutMs: number) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
    release() {
      for (const resolve of waiting) resolve();
      waiting.clear();
    },
  };
}
