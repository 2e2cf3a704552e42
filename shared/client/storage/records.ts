/** Values as texts that tell when they were not written to the end. */

/** The text of a value, with its sum before it. */
export function encode(value: unknown): string {
  const text = JSON.stringify(value);
  return `${sumOf(text)} ${text}`;
}

/** @returns undefined where the text is not what `encode` made */
export function decode<T>(text: string): T | undefined {
  const at = text.indexOf(' ');
  const json = text.slice(at + 1);
  if (at < 0 || text.slice(0, at) !== sumOf(json)) return undefined;
  try {
    return JSON.parse(json) as T;
  } catch {
    return undefined;
  }
}

/** The FNV-1a hash (Fowler, Noll, Vo) of a text's UTF-16 units, 32 bits, with its length. */
function sumOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return `${(hash >>> 0).toString(36)}.${text.length.toString(36)}`;
}
