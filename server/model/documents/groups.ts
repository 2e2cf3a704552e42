import type { ObjectId } from 'mongodb';
import type { Permissions } from '../../../shared/contract/documents.ts';
import type { Outgoing } from './outbox.ts';

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
  created_at: Date;
  updated_at: Date;
  is_active: boolean;
  /** As in `UserDocument`. */
  version?: number;
}
