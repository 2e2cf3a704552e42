import type { ObjectId } from 'mongodb';

export interface GroupDocument {
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
  created_at: Date;
  updated_at: Date;
  is_active: boolean;
  /** As in `UserDocument`. */
  version?: number;
}
