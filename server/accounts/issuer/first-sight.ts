/** What a token's claims make of a user who is seen for the first time (PROTOCOL section 13). */
import { randomBytes } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { FullName, RegisterBody } from '../../../shared/contract/accounts.ts';
import { compile } from '../../lib/validation.ts';
import { type FirstSight, generatedUsernames } from '../external-users.ts';
import { unreachableAddress } from '../new-user.ts';

const MIN_USERNAME = 3;
const MAX_USERNAME = 32;
const MAX_FULL_NAME = 100;
const MARKS = /\p{M}+/gu;
const UNFIT = /[^A-Za-z0-9_.-]+/g;
/** Embeddings, overrides and isolates of the writing direction. */
const DIRECTIONS = /[\u202A-\u202E\u2066-\u2069]/g;
const CONTROLS = /\p{Cc}+/gu;

const isEmail = compile(RegisterBody.properties.email);
const isFullName = compile(FullName);

/**
 * @param claims of a verified token; those about the person may hold anything
 * @returns usernames and addresses to try one after the other, without end, and the full name
 */
export function firstSight(claims: JWTPayload): FirstSight {
  return { usernames: usernames(claims), emails: emails(claims), full_name: fullName(claims.name) };
}

function* usernames({ preferred_username, email }: JWTPayload): Generator<string> {
  const name = madeFit(preferred_username) || madeFit(email);
  if (name === '') return yield* generatedUsernames();
  if (name.length >= MIN_USERNAME) yield name;
  for (let bytes = 2; ; bytes = 4) {
    const suffix = `_${randomBytes(bytes).toString('hex')}`;
    yield name.slice(0, MAX_USERNAME - suffix.length) + suffix;
  }
}

/** @returns what a username can keep of a name, or of an address before its `@`; empty where that is nothing */
function madeFit(name: unknown): string {
  if (typeof name !== 'string') return '';
  const [local = ''] = name.split('@', 1);
  const letters = local.normalize('NFKD').replace(MARKS, '').trim().replace(UNFIT, '_').slice(0, MAX_USERNAME);
  return /[A-Za-z0-9]/.test(letters) ? letters : '';
}

function* emails({ email, email_verified }: JWTPayload): Generator<string> {
  // Some issuers write their booleans as strings.
  const isDisowned = email_verified === false || email_verified === 'false';
  if (isEmail(email) && !isDisowned) yield email as string;
  for (;;) yield unreachableAddress();
}

function fullName(name: unknown): string | null {
  if (typeof name !== 'string') return null;
  const shown = [...name.toWellFormed().replace(CONTROLS, ' ').trim()].slice(0, MAX_FULL_NAME).join('').trimEnd();
  return [shown, shown.replace(DIRECTIONS, '')].find((text) => text !== '' && isFullName(text)) ?? null;
}
