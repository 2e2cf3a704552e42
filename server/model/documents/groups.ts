import type { ObjectId } from 'mongodb';

export interface GroupDocument {
  _id: ObjectId;
  name: string;
  description: string | null;
  icon: string | null;
  creator_id: ObjectId;
  /** In the order in which they joined. */
  members: ObjectId[];
  admins: ObjectId[];
  created_at: Date;
  updated_at: Date;
  is_active: boolean;
  /** As in `UserDocument`. */
  version?: number;
}
