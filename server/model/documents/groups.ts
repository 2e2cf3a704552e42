import type { ObjectId } from 'mongodb';
import type { Permissions } from '../../../shared/contract/documents.ts';
import type { Outgoing } from './outbox.ts';

/** An invitation, in the document of its group so that one write lets somebody join by it and counts that use. */
export interface StoredInvite {
  /** Shown again to those who may add members, so it is kept as it is. */
  code: string;
  created_by: ObjectId;
  created_at: Date;
  expires_at?: Date;
  max_uses?: number;
  uses: number;
  /** Whoever comes with it asks, and is let in by somebody who may add members. */
  approval: boolean;
}

export interface GroupDocument extends Outgoing {
  _id: ObjectId;
  name: string;
  description: string | null;
  icon: string | null;
  creator_id: ObjectId;
  /** What the creator's client called it: a repeat finds it by this. Never on the wire. */
  client_group_id?: string;
  /** In the order in which they joined. */
  members: ObjectId[];
  admins: ObjectId[];
  /** As `model/metadata.ts` stores it. */
  metadata?: string;
  /** Who may do what, as far as it was ever said; the rest is by default (`model/permissions.ts`). */
  permissions?: Partial<Permissions>;
  /** How long members who are no admins wait after their last message, in seconds; 0 by default. */
  slow_mode_s?: number;
  /** By their ids. Those that are over may still be among them. Never on the wire with the group. */
  invites?: Record<string, StoredInvite>;
  /** Each invitation's id and the hash of its code, by which it is found. */
  invite_keys?: string[];
  /** When an admin last removed somebody; the memberships say whom. */
  removed_at?: Date;
  created_at: Date;
  updated_at: Date;
  is_active: boolean;
  /** As in `UserDocument`. */
  version?: number;
}

/** Somebody who asks to join a group; at most one for each user and group. */
export interface JoinRequestDocument {
  _id: ObjectId;
  group_id: ObjectId;
  user_id: ObjectId;
  at: Date;
  /** The invitation that it came by. */
  invite_id: string;
  /** Who has let the user in: decided, and not carried out yet. */
  accepted_by?: ObjectId;
}
