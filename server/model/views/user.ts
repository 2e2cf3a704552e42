/** Users as they leave the server: never the password, its history, or look-up keys. */
import type { PublicUser, Self, ServerUser } from '../../../shared/contract/documents.ts';
import { toWire } from '../codec.ts';
import type { UserDocument } from '../documents/accounts.ts';
import { wireMetadata } from '../metadata.ts';

/** What everyone may see. Callers add `last_seen` where the viewer may see it. */
export function toPublicUser(user: UserDocument): PublicUser {
  const { _id, username, full_name, profile_picture, bio, is_active, created_at, is_bot } = user;
  const shown = toWire({ _id, username, full_name, profile_picture, bio, is_active, created_at });
  return is_bot ? { ...shown, is_bot } : shown;
}

/** What the user's own sessions see. */
export function toSelf(user: UserDocument): Self {
  const { email, settings, updated_at, last_seen, last_password_change } = user;
  return { ...toPublicUser(user), ...toWire({ email, settings, updated_at, last_seen, last_password_change }) };
}

/** What the operator's own back end sees. */
export function toServerUser(user: UserDocument): ServerUser {
  const { external_id, is_bot = false, metadata } = user;
  return { ...toSelf(user), ...(external_id === undefined ? {} : { external_id }), is_bot, ...wireMetadata(metadata) };
}
