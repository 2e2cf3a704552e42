/** What a group of writes consists of, by its number: its own keys, and those of an earlier group, which it removes. */

export const KEYS = 20;
/** So many groups later a group's keys are removed. */
export const LIFE = 500;

export function keysOf(number: number): Buffer[] {
  return Array.from({ length: KEYS }, (_, i) => Buffer.from(`key ${i} of ${number}`));
}

export function groupKeys(number: number): { added: Buffer[]; removed: Buffer[] } {
  return { added: keysOf(number), removed: number > LIFE ? keysOf(number - LIFE) : [] };
}
