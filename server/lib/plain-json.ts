/** The rules for payloads that no schema can express (PROTOCOL section 1). */
import { invalid } from './errors.ts';

/** The deepest allowed nesting of objects and arrays. */
const MAX_DEPTH = 32;

/**
 * Accepts plain JSON only: nested no deeper than 32, without NUL or lone surrogates in any string or name.
 * @param opaque the name of a top-level property whose texts and names are not looked at (the `signal` of a call)
 * @throws ContractError `validation_failed`
 */
export function assertPlain(value: unknown, opaque?: string): void {
  walk(value, '', 1, false, opaque);
}

function walk(value: unknown, path: string, depth: number, isOpaque: boolean, opaque?: string): void {
  if (typeof value === 'string') {
    if (!isOpaque) assertText(value, path);
    return;
  }
  if (value === null || typeof value !== 'object') {
    if (typeof value === 'function' || typeof value === 'bigint') throw invalid(path, 'must be JSON');
    return;
  }
  if (depth > MAX_DEPTH) throw invalid(path, `must NOT be nested deeper than ${MAX_DEPTH}`);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) walk(value[i], `${path}.${i}`, depth + 1, isOpaque);
    return;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw invalid(path, 'must be JSON');
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw invalid(path, 'must NOT have a property __proto__');
    if (!isOpaque) assertText(key, path);
    const inner = path ? `${path}.${key}` : key;
    walk((value as Record<string, unknown>)[key], inner, depth + 1, isOpaque || key === opaque);
  }
}

function assertText(text: string, path: string): void {
  if (text.includes('\0')) throw invalid(path, 'must NOT have NUL');
  if (!text.isWellFormed()) throw invalid(path, 'must NOT have lone surrogates');
}
