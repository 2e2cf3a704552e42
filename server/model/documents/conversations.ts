import type { ObjectId } from 'mongodb';

/** The summary of a conversation: derived from its messages, and repaired by whoever finds it behind. */
export interface ConversationDocument {
  _id: string;
  kind: 'direct' | 'group';
  /** The two users of a pair; a group's members are in `memberships`. */
  user_ids?: ObjectId[];
  group_id?: ObjectId;
  last_seq: number;
  rev: number;
  /** The newest message of the conversation proper: replies in threads that are not part of it are none. */
  last_message_id?: ObjectId;
  /** Its `seq`; absent in what was written before there were threads: `last_seq`. */
  last_message_seq?: number;
  /** When the newest message was sent, or the group created; lists are ordered by it. */
  activity_at: Date;
  /** When anything in it last changed, for the `since` of `sync`. */
  changed_at: Date;
  created_at: Date;
}

/** The conversations that share a locator (`model/message-id.ts`). */
export interface LocatorDocument {
  _id: number;
  conversation_ids: string[];
}

/** A stretch of messages that a user read while the reading was shown. */
export interface ShownRead {
  /** Above this `seq` … */
  from: number;
  /** … and up to this one. */
  to: number;
  /** Senders who must not know: they, too, have switched receipts off. */
  except?: ObjectId[];
}

/** What a user has begun to write in a conversation. */
export interface DraftDocument {
  _id: ObjectId;
  user_id: ObjectId;
  conversation_id: string;
  content: string;
  updated_at: Date;
}

/** One user's membership of one conversation: marks and personal settings. */
export interface MembershipDocument {
  _id: ObjectId;
  user_id: ObjectId;
  conversation_id: string;
  kind: 'direct' | 'group';
  group_id?: ObjectId;
  peer_id?: ObjectId;
  /** Messages up to this seq are older than the membership and not visible. */
  from_seq: number;
  joined_at: Date;
  /** Set while the user is not in the group; the marks are kept. The group's document decides who is in. */
  left_at?: Date;
  /** When an admin last removed the user: invitations that are older do not bring the user back. */
  removed_at?: Date;
  /** How often the user left the group by themselves. */
  departures?: number;
  delivered_seq: number;
  read_seq: number;
  /** The `read_seq` that others see: while a setting hides what the user reads, it stays where it was. */
  shown_read_seq: number;
  /** What was read while it was shown, as far as the stored messages do not say it yet. */
  shown_reads?: ShownRead[];
  /** Set while the stored messages above this `seq` are behind the marks. */
  settling_from?: number;
  muted_until?: Date;
  pinned?: boolean;
  archived?: boolean;
  /** How long the user's draft is, in bytes of JSON; absent where there is none. */
  draft_bytes?: number;
  /** When the user's own view of the conversation last changed: marks, settings, joining, leaving. */
  changed_at: Date;
  /** When the marks that others see last grew. */
  marks_at?: Date;
  /** As in `UserDocument`. */
  version?: number;
}
