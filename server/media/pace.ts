/**
 * Messages come first: the bytes of uploads move as fast as they can while messages take no longer than usual, and rest
 * for a while after each piece when messages do. A background transport that goes by the delay of others, after the idea
 * of LEDBAT (RFC 6817), with additive and multiplicative steps (AIMD) for the rests instead of a window.
 */
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MediaStorage } from './storage.ts';

/** Without a message for so long there is nobody to wait for, in milliseconds. */
const QUIET_MS = 300;
/** So long after a piece was moved, what messages take is not put down to transfers any more, in milliseconds. */
const APART_MS = 500;
/** The share of the newest message in what messages take now, and in what they usually take. */
const NOW_SHARE = 0.1;
const USUAL_SHARE = 0.02;
/** Messages are held up when they take so many times what they usually do, and so much more, in milliseconds. */
const TOLERATED_FACTOR = 1.2;
const TOLERATED_MS = 0.3;
/** What each message changes of the rest: more where it is held up, slowly less where it is not. */
const LONGER = { factor: 1.1, ms: 5 };
const SHORTER = { factor: 0.995, ms: 0.05 };
/** The rest after a mebibyte with which a transfer begins, in milliseconds: how much others bear is not known yet. */
const FIRST_MS = 100;
/** The rest after a mebibyte is at most so long, in milliseconds: a transfer never stands still. */
const LONGEST_MS = 500;
const MIB = 1024 * 1024;

export interface Pace {
  /** A message was handled in so many milliseconds. */
  observe(ms: number): void;
  /** So many bytes were moved: how long the next should wait, in milliseconds. */
  restAfter(bytes: number): number;
  /** Waits for as long. */
  rest(bytes: number): Promise<void>;
}

/** @param now milliseconds of a clock that never goes back */
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
        usual = usual === undefined ? ms : usual + USUAL_SHARE * (ms - usual);
        current = usual;
        restPerMib = FIRST_MS;
        return;
      }
      current += NOW_SHARE * (ms - current);
      const isHeldUp = current > usual * TOLERATED_FACTOR + TOLERATED_MS;
      restPerMib = isHeldUp
        ? Math.min(restPerMib * LONGER.factor + LONGER.ms, LONGEST_MS)
        : Math.max(restPerMib * SHORTER.factor - SHORTER.ms, 0);
    },
    async rest(bytes) {
      const ms = restAfter(bytes);
      if (ms > 0) await sleep(ms);
    },
  };
}

/** A storage that is read from at the pace. */
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
