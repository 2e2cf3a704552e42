import type { ObjectId } from 'mongodb';

/** Set by the write that makes a change which webhooks must be told, until it is stored for them. */
export interface PendingEvent {
  id: ObjectId;
  at: Date;
  /** What happened to a group, who did it, and to whom. */
  reason?: string;
  actor_id?: ObjectId;
  user_ids?: ObjectId[];
}

/** A document whose changes webhooks are told. */
export interface Outgoing {
  /** The document is now as the change left it: nobody changes what is told of it before this is gone. */
  pending?: PendingEvent;
}
