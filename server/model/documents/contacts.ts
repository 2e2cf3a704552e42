import type { ObjectId } from 'mongodb';

export interface ContactDocument {
  _id: ObjectId;
  user_id: ObjectId;
  contact_id: ObjectId;
  /** The conversation id of the two users, the same on both documents, so that a block is found from either side. */
  pair: string;
  status: 'pending' | 'accepted' | 'blocked';
  direction?: 'out' | 'in';
  created_at: Date;
  updated_at: Date;
  notes?: string;
  is_favorite?: boolean;
  /** As in `UserDocument`. */
  version?: number;
}
