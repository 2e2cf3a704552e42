/** Which passwords may be chosen. */
import { readFileSync } from 'node:fs';
import { BCRYPT_MAX_BYTES } from '../../lib/bcrypt-limit.ts';
import { invalid } from '../../lib/errors.ts';
import { projectFile } from '../../lib/project-file.ts';
import { hashedForm } from './hashing.ts';

const MIN_BYTES = 8;

/** One password a line; as one text it takes 90 KB. */
const COMMON = readFileSync(projectFile('server/accounts/passwords/common-passwords.txt'), 'latin1');

/**
 * Refuses what must not be a password. The schema has already checked the length of what was given.
 * @param path the field that it came in
 * @throws ContractError `validation_failed` where it is one of the 10,000 most common passwords, in any case, or its
 *   hashed form is shorter than 8 or longer than 72 bytes
 */
export function assertAcceptable(path: string, password: string): void {
  const hashed = hashedForm(password);
  const bytes = Buffer.byteLength(hashed);
  if (bytes < MIN_BYTES) throw invalid(path, `must NOT have fewer than ${MIN_BYTES} bytes in NFC`);
  if (bytes > BCRYPT_MAX_BYTES) throw invalid(path, `must NOT have more than ${BCRYPT_MAX_BYTES} bytes in NFC`);
  if (isCommon(hashed)) throw invalid(path, 'is one of the most common passwords');
}

function isCommon(password: string): boolean {
  return !password.includes('\n') && COMMON.includes(`\n${password.toLowerCase()}\n`);
}
