/** Numbered groups of writes: each adds keys of its own and removes those of an earlier group. */

export const KEYS = 20;
/** After this many groups, a group's keys are removed. */
export const LIFE = 500;

export function keysOf(number: number): Buffer[] {
  return Array.from({ length: KEYS }, (_, i) => Buffer.from(`key ${i} of ${number}`));
}

export function groupKeys(number: number): { added: Buffer[]; removed: Buffer[] } {
  return { added: keysOf(number), removed: number > LIFE ? keysOf(number - LIFE) : [] };
}
