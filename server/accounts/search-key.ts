import { fold } from '../lib/fold.ts';

/** Folding can turn one letter into eighteen and index keys are limited; nobody searches by more than this. */
const MAX_LENGTH = 200;

/** The key that `user:search` finds a full name by. */
export function fullNameKey(fullName: string | null): string {
  return fold(fullName ?? '')
    .slice(0, MAX_LENGTH)
    .toWellFormed();
}
