/** Pauses between attempts: doubled from one to the next, and spread so that clients do not come back together. */

export interface BackOffOptions {
  /** The first pause, in milliseconds. */
  first: number;
  longest: number;
  /** Between 0 and 1. */
  random?: () => number;
}

/** @returns the pause after so many failed attempts, in milliseconds: between half of it and all of it */
export function backOff(attempts: number, { first, longest, random = Math.random }: BackOffOptions): number {
  return Math.min(first * 2 ** attempts, longest) * (0.5 + random() / 2);
}
