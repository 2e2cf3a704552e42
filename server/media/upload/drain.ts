import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';

/** Longest time to read on, in milliseconds. */
const DRAIN_MS = 2000;

/**
 * Reads the rest of a refused request for a while and discards it: a client that is still sending may not read the
 * answer.
 */
export async function drain({ raw }: FastifyRequest): Promise<void> {
  raw.unpipe();
  raw.resume();
  if (raw.readableEnded || raw.destroyed) return;
  const stop = new AbortController();
  await Promise.race([
    once(raw, 'close', { signal: stop.signal }),
    once(raw, 'end', { signal: stop.signal }),
    delay(DRAIN_MS, undefined, { signal: stop.signal }),
  ]).catch(() => {});
  stop.abort();
}
