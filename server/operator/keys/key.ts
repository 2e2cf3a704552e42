/** Server keys as they are written: `lsk_<id>_<256 random bits>`. */
import { randomBytes } from 'node:crypto';

const FORM = /^lsk_([0-9a-f]{16})_[\w-]{43}$/;
const ID_BYTES = 8;
const SECRET_BYTES = 32;

/** @returns a new key, and its id, which is no secret */
export function makeKey(): { id: string; key: string } {
  const id = randomBytes(ID_BYTES).toString('hex');
  return { id, key: `lsk_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}` };
}

/** @returns the id in a key; undefined for what does not have the form of one */
export function idIn(key: string): string | undefined {
  return FORM.exec(key)?.[1];
}
