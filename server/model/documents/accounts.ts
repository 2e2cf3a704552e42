import type { ObjectId } from 'mongodb';
import type { Outgoing } from './outbox.ts';

export interface Settings {
  notifications_enabled?: boolean;
  read_receipts_enabled?: boolean;
  typing_indicators_enabled?: boolean;
}

export interface DeviceInfo {
  device_type?: string;
  app_version?: string;
  platform?: string;
}

export interface UserDocument extends Outgoing {
  _id: ObjectId;
  username: string;
  /** The username in lower case: unique, and the key of searches and sign-ins. */
  username_key: string;
  email: string;
  email_key: string;
  /** The bcrypt hash; empty where there is no password. */
  password: string;
  /** The five hashes before the current one, newest first. */
  password_history: string[];
  last_password_change: Date;
  full_name: string | null;
  /** The full name, folded for prefix search. */
  full_name_key: string;
  profile_picture: string | null;
  bio: string;
  settings: Settings;
  created_at: Date;
  updated_at: Date;
  last_seen: Date;
  is_active: boolean;
  /** When the account was deactivated last, by whomever: what was issued before is worth nothing, whatever came after. */
  deactivated_at?: Date;
  /** Who the user is to the operator's own back end: unique. Only the operator sees it. */
  external_id?: string;
  is_bot?: true;
  /** The operator's own data. */
  metadata?: string;
  /** When all sessions ended last: tokens of another issuer that were issued before stay refused. */
  sessions_ended_at?: Date;
  /** The account was deleted, and its parts outside this document are not all erased yet. */
  erasing?: true;
  /** A session of the user has named a subscription for push. Never on the wire. */
  uses_push?: true;
  /** Grows by one with each change that is sent, so that of two states the newer is known. Never on the wire. */
  version?: number;
}

/** A refresh-token family: one sign-in on one device. Or what the tokens of another issuer name as a session. */
export interface SessionDocument {
  _id: ObjectId;
  user_id: ObjectId;
  /** SHA-256 of the refresh token that is valid now. Sessions of another issuer's tokens have none. */
  token_hash?: string;
  device_info?: DeviceInfo;
  /** A tag of the network that it was last used from. */
  network?: string;
  created_at: Date;
  last_used_at: Date;
  expires_at: Date;
  revoked_at?: Date;
  /** The latest time of issue of another issuer's token that was ahead of the clock when it was used. */
  issued_until?: Date;
  /** Of the first session that another issuer's tokens name: the last ending that was followed by a session. */
  begun_anew_after?: Date;
}

/** At most one per user, under the user's id: a new token replaces the one before in one write. */
export interface PasswordResetDocument {
  _id: ObjectId;
  user_id: ObjectId;
  /** `last_password_change` of the password that the token replaces: once it changes, the token is void. */
  password_since?: Date;
  /** SHA-256 of the token; the token itself is in the mail only. */
  token: string;
  expiry: Date;
  created_at: Date;
  used: boolean;
}
