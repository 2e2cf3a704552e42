/** What leaves the server of a user: never the password, its history, or the keys that look-ups use. */
import type { PublicUser, Self } from '../../../shared/contract/documents.ts';
import type { UserDocument } from '../documents.ts';
import { toWire } from '../codec.ts';

/** What everyone may see. `last_seen` is added by whoever knows that the viewer may see it. */
export function toPublicUser(user: UserDocument): PublicUser {
  const { _id, username, full_name, profile_picture, bio, is_active, created_at } = user;
  return toWire({ _id, username, full_name, profile_picture, bio, is_active, created_at });
}

/** What a user's own sessions see. */
export function toSelf(user: UserDocument): Self {
  const { email, settings, updated_at, last_seen, last_password_change } = user;
  return { ...toPublicUser(user), ...toWire({ email, settings, updated_at, last_seen, last_password_change }) };
}
