/** How large an answer is, without writing it out. */

/** What a name, a number and the punctuation around them take, in bytes. */
const EACH = 8;

/** @returns roughly how many bytes of JSON a plain value takes: the characters of its texts, and a little for each part */
export function weightOf(value: unknown): number {
  if (typeof value === 'string') return value.length + EACH;
  if (value === null || typeof value !== 'object') return EACH;
  let sum = EACH;
  if (Array.isArray(value)) for (const element of value) sum += weightOf(element);
  else for (const name in value) sum += name.length + weightOf((value as Record<string, unknown>)[name]);
  return sum;
}
