import { randomBytes } from 'node:crypto';
import { ObjectId } from 'mongodb';
import { nameKey } from '../lib/name-key.ts';
import type { UserDocument } from '../model/documents/accounts.ts';

/** What is known of a user who is being made; `password` is a hash, or `NO_PASSWORD`. */
export type NewUser = Pick<UserDocument, 'username' | 'email' | 'password'> &
  Partial<Pick<UserDocument, 'full_name' | 'bio' | 'is_bot' | 'metadata'>>;

/** A user's document as it is stored first. */
export function newUser({ username, email, password, full_name = null, bio = '', ...rest }: NewUser, now: Date) {
  const user: UserDocument = {
    _id: new ObjectId(),
    username,
    username_key: username.toLowerCase(),
    email,
    email_key: email.toLowerCase(),
    password,
    password_history: [],
    last_password_change: now,
    full_name,
    full_name_key: nameKey(full_name),
    profile_picture: null,
    bio,
    settings: { notifications_enabled: true, read_receipts_enabled: true, typing_indicators_enabled: true },
    created_at: now,
    updated_at: now,
    last_seen: now,
    is_active: true,
    ...rest,
  };
  return user;
}

/** An address for a user who has none: nobody else's, and no mail gets there (RFC 2606, section 2). */
export function unreachableAddress(): string {
  return `${randomBytes(16).toString('hex')}@external.invalid`;
}
