import type { ObjectId } from 'mongodb';

export interface ContactDocument {
  _id: ObjectId;
  user_id: ObjectId;
  contact_id: ObjectId;
  /** The conversation id of the two users: nodes of version 0.1.0 find blocks by it. */
  pair?: string;
  status: 'pending' | 'accepted' | 'blocked';
  direction?: 'out' | 'in';
  created_at: Date;
  updated_at: Date;
  notes?: string;
  is_favorite?: boolean;
  /** As in `UserDocument`. */
  version?: number;
}
