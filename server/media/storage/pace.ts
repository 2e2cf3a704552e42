/**
 * Gives messages priority over file transfers. While messages take no longer than usual, transfers run at full speed;
 * when messages slow down, transfers rest after each piece. Like LEDBAT (RFC 6817) this backs off from the delay that
 * others see, but adapts the length of the rests (additive and multiplicative steps, as in AIMD) instead of a window.
 */
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MediaStorage } from './storage.ts';

/** After this long without a message, transfers need not rest. Milliseconds. */
const QUIET_MS = 300;
/** After this long without a transfer, slow messages are not blamed on transfers. Milliseconds. */
const APART_MS = 500;
/** Weights of the newest message in the two moving averages: the current and the usual time per message. */
const CURRENT_WEIGHT = 0.1;
const USUAL_WEIGHT = 0.02;
/** Messages count as slowed down when they take this many times as long as usual, plus this many milliseconds. */
const TOLERATED_FACTOR = 1.2;
const TOLERATED_MS = 0.3;
/** How each message changes the rest: quickly up when messages are slowed down, slowly down when they are not. */
const LONGER = { factor: 1.1, ms: 5 };
const SHORTER = { factor: 0.995, ms: 0.05 };
/** The first rest after a mebibyte, before the effect on messages is known. Milliseconds. */
const FIRST_MS = 100;
/** The longest rest after a mebibyte: a transfer never stalls. Milliseconds. */
const LONGEST_MS = 500;
const MIB = 1024 * 1024;

export interface Pace {
  /** Records how long a message took, in milliseconds. */
  observe(ms: number): void;
  /** @returns how long to rest after moving so many bytes, in milliseconds */
  restAfter(bytes: number): number;
  /** Rests that long. */
  rest(bytes: number): Promise<void>;
}

/** @param now a monotonic clock, in milliseconds */
export function createPace(now: () => number = () => performance.now()): Pace {
  let usual: number | undefined;
  let current = 0;
  let restPerMib = FIRST_MS;
  let observedAt = Number.NEGATIVE_INFINITY;
  let movedAt = Number.NEGATIVE_INFINITY;

  function restAfter(bytes: number): number {
    movedAt = now();
    return movedAt - observedAt > QUIET_MS ? 0 : (restPerMib * bytes) / MIB;
  }

  return {
    restAfter,
    observe(ms) {
      observedAt = now();
      if (usual === undefined || observedAt - movedAt > APART_MS) {
        usual = usual === undefined ? ms : usual + USUAL_WEIGHT * (ms - usual);
        current = usual;
        restPerMib = FIRST_MS;
        return;
      }
      current += CURRENT_WEIGHT * (ms - current);
      const isSlowedDown = current > usual * TOLERATED_FACTOR + TOLERATED_MS;
      restPerMib = isSlowedDown
        ? Math.min(restPerMib * LONGER.factor + LONGER.ms, LONGEST_MS)
        : Math.max(restPerMib * SHORTER.factor - SHORTER.ms, 0);
    },
    async rest(bytes) {
      const ms = restAfter(bytes);
      if (ms > 0) await sleep(ms);
    },
  };
}

/** Wraps a storage so that reads rest after each piece. */
export function readAtPace(storage: MediaStorage, { rest }: Pace): MediaStorage {
  async function* resting(source: Readable): AsyncGenerator<Buffer> {
    for await (const piece of source as AsyncIterable<Buffer>) {
      yield piece;
      await rest(piece.length);
    }
  }
  return {
    ...storage,
    async read(key, range) {
      const source = await storage.read(key, range);
      return Readable.from(resting(source), { objectMode: false, highWaterMark: 1 });
    },
  };
}
