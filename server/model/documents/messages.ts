import type { ObjectId } from 'mongodb';

export interface Reaction {
  emoji: string;
  /** Those who reacted first, at most `MOST_USERS` (messages/reactions.ts). */
  user_ids: ObjectId[];
  /** How many have reacted, where that is more. */
  count?: number;
}

/** A reaction that its message counts and does not name. */
export interface CountedReactionDocument {
  /** Message, user and emoji. */
  _id: string;
  message_id: ObjectId;
  emoji: string;
}

/** A text that a message had before it was edited. */
export interface RevisionDocument {
  /** That of the text. */
  _id: ObjectId;
  message_id: ObjectId;
  content: string;
  metadata?: string;
  /** When it was said. */
  at: Date;
}

/** What a message shows of the replies to it. */
export interface ThreadSummary {
  reply_count: number;
  last_reply_at: Date;
  /** The last five who replied, newest first. */
  user_ids: ObjectId[];
}

/** A user's place in a thread: whether it is followed, and how far it was read. */
export interface ThreadMarkDocument {
  _id: ObjectId;
  user_id: ObjectId;
  /** The message that the thread hangs on. */
  root_id: ObjectId;
  conversation_id: string;
  root_seq: number;
  /** Absent while neither the user nor anybody else has decided it. */
  following?: boolean;
  /** The conversation's `rev` as of which `following` was decided: what lies before changes nothing. */
  decided_rev?: number;
  read_seq: number;
}

/** A message that a user has saved. */
export interface SavedDocument {
  _id: ObjectId;
  user_id: ObjectId;
  message_id: ObjectId;
  conversation_id: string;
  saved_at: Date;
}

interface MessageBase {
  _id: ObjectId;
  conversation_id: string;
  seq: number;
  rev: number;
  /** All revs of the message, newest last: a rev that a change has replaced must not be given again. */
  revs?: number[];
  sender_id: ObjectId;
  content: string;
  message_type: 'text' | 'image' | 'audio' | 'video' | 'document';
  attachment: { media_id: ObjectId } | null;
  created_at: Date;
  updated_at: Date;
  is_deleted: boolean;
  client_message_id?: string;
  edited_at?: Date;
  /** The ids of its texts, oldest first, the present one last (messages/revisions.ts). Absent: it was never edited. */
  text_ids?: ObjectId[];
  reply_to?: ObjectId;
  mentions?: { user_ids?: ObjectId[]; everyone?: true };
  /** Those whom it mentions, and `EVERYONE` (conversations/mentioned.ts): the keys of mention counts. */
  mentioned?: ObjectId[];
  /** For a reply in a thread: the message that the thread hangs on. */
  thread_id?: ObjectId;
  /** Set for a reply that is a message of the conversation proper, too. */
  in_conversation?: true;
  /** Set for a reply that is not: `thread_id` without `in_conversation`. */
  aside?: true;
  /** Set where `aside` is: the `seq` of the newest message of the conversation proper when this was stored. */
  proper_seq?: number;
  /** Set before the first reply to this message is stored. */
  has_thread?: true;
  /** What is shown of the replies; never stored. */
  thread?: ThreadSummary;
  /** How often it was forwarded on its way here. */
  forwarded?: { count: number };
  /** Who pinned it, when, and under which `rev`: by that, pins are in order. */
  pinned?: { by: ObjectId; at: Date; rev: number };
  /** As `model/metadata.ts` stores it. */
  metadata?: string;
  reactions?: Reaction[];
  /** The words of the content, folded: the keys of search. */
  terms?: string[];
}

export interface PairMessageDocument extends MessageBase {
  recipient_id: ObjectId;
  status: 'sent' | 'delivered' | 'read';
}

export interface GroupMessageDocument extends MessageBase {
  group_id: ObjectId;
  /** In slow mode: the `seq` of the sender's message before this one, or 0. One message can follow each. */
  follows_seq?: number;
  read_by: ObjectId[];
}

export type MessageDocument = PairMessageDocument | GroupMessageDocument;
