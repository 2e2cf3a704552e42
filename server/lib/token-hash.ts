import { createHash } from 'node:crypto';

/**
 * Hashes a random token for storage. Plain SHA-256 suffices: a token of 256 random bits cannot be guessed, so a slow
 * hash would add nothing.
 * @returns the hash in base64url
 */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
