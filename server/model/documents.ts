/** The documents as they are stored: ObjectId and Date inside (PROTOCOL section 1). */
import type { ObjectId } from 'mongodb';

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

export interface UserDocument {
  _id: ObjectId;
  username: string;
  /** The username in lower case: unique, and what searches and sign-ins look up. */
  username_key: string;
  email: string;
  email_key: string;
  password: string;
  /** The last five hashes, newest first; the current one is not among them. */
  password_history: string[];
  last_password_change: Date;
  full_name: string | null;
  /** The full name folded for prefix search. */
  full_name_key: string;
  profile_picture: string | null;
  bio: string;
  settings: Settings;
  created_at: Date;
  updated_at: Date;
  last_seen: Date;
  is_active: boolean;
  /** Grows by one with each change that is told: says which of two states is the newer. Never on the wire. */
  version?: number;
}

/** A refresh-token family: one sign-in on one device. */
export interface SessionDocument {
  _id: ObjectId;
  user_id: ObjectId;
  /** SHA-256 of the refresh token that is valid now. */
  token_hash: string;
  device_info?: DeviceInfo;
  created_at: Date;
  last_used_at: Date;
  expires_at: Date;
  revoked_at?: Date;
}

/** At most one per user, under the user's id: a new token replaces the old one in one write. */
export interface PasswordResetDocument {
  _id: ObjectId;
  user_id: ObjectId;
  /** SHA-256 of the password hash that it was made for: once the password changed, the token is void. */
  password_fingerprint: string;
  /** SHA-256 of the token: the token itself is only in the mail. */
  token: string;
  expiry: Date;
  created_at: Date;
  used: boolean;
}

export interface Reaction {
  emoji: string;
  user_ids: ObjectId[];
}

interface MessageBase {
  _id: ObjectId;
  conversation_id: string;
  seq: number;
  rev: number;
  /** The revs that it has had, the newest last: what a change left behind must not be given again. */
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
  reply_to?: ObjectId;
  reactions?: Reaction[];
  /** The words of the content, folded: what search looks up. */
  terms?: string[];
}

export interface PairMessageDocument extends MessageBase {
  recipient_id: ObjectId;
  status: 'sent' | 'delivered' | 'read';
}

export interface GroupMessageDocument extends MessageBase {
  group_id: ObjectId;
  read_by: ObjectId[];
}

export type MessageDocument = PairMessageDocument | GroupMessageDocument;

/** The summary of a conversation: derived from its messages, repaired by whoever finds it behind. */
export interface ConversationDocument {
  _id: string;
  kind: 'direct' | 'group';
  /** The two users of a pair; a group's members are in `memberships`. */
  user_ids?: ObjectId[];
  group_id?: ObjectId;
  last_seq: number;
  rev: number;
  last_message_id?: ObjectId;
  /** When the newest message was sent, or the group created: the order of lists. */
  activity_at: Date;
  /** When anything in it changed last: what `sync` asks by `since`. */
  changed_at: Date;
  created_at: Date;
}

/** One user's place in one conversation: marks and personal settings. */
export interface MembershipDocument {
  _id: ObjectId;
  user_id: ObjectId;
  conversation_id: string;
  kind: 'direct' | 'group';
  group_id?: ObjectId;
  peer_id?: ObjectId;
  /** Messages up to this seq are from before the joining and not visible. */
  from_seq: number;
  joined_at: Date;
  /** Set while the user is not in the group: an ended membership keeps its marks. The group's document decides. */
  left_at?: Date;
  delivered_seq: number;
  read_seq: number;
  /** What others are shown of `read_seq`: readings hidden by a setting leave it where it was. */
  shown_read_seq: number;
  muted_until?: Date;
  pinned?: boolean;
  archived?: boolean;
  /** When the user's own view of the conversation changed: marks, settings, joining, leaving. */
  changed_at: Date;
  /** When what others see of the marks grew last. */
  marks_at?: Date;
  /** As of `UserDocument`. */
  version?: number;
}

export interface GroupDocument {
  _id: ObjectId;
  name: string;
  description: string | null;
  icon: string | null;
  creator_id: ObjectId;
  /** In the order of joining. */
  members: ObjectId[];
  admins: ObjectId[];
  created_at: Date;
  updated_at: Date;
  is_active: boolean;
  /** As of `UserDocument`. */
  version?: number;
}

export interface ContactDocument {
  _id: ObjectId;
  user_id: ObjectId;
  contact_id: ObjectId;
  /** The two users' conversation id: the same on both documents, so that a block is found from either side. */
  pair: string;
  status: 'pending' | 'accepted' | 'blocked';
  direction?: 'out' | 'in';
  created_at: Date;
  updated_at: Date;
  notes?: string;
  is_favorite?: boolean;
  /** As of `UserDocument`. */
  version?: number;
}

export interface PresenceDocument {
  _id: ObjectId;
  user_id: ObjectId;
  status: 'online' | 'away' | 'busy' | 'offline';
  last_active: Date;
  custom_status?: string;
  device_info?: DeviceInfo;
  /** As of `UserDocument`. */
  version?: number;
}

export interface CallParticipant {
  user_id: ObjectId;
  joined_at: Date;
  left_at?: Date;
}

/** Where a participant has a call: on a socket of a node, or, its connection lost, nowhere until the grace is over. */
export interface CallSeat {
  user_id: ObjectId;
  socket_id?: string;
  node_id?: string;
  lost_until?: Date;
}

/** A call. What follows `metadata` is internal and never goes over the wire. */
export interface CallDocument {
  _id: ObjectId;
  caller_id: ObjectId;
  recipient_id?: ObjectId;
  group_id?: ObjectId;
  call_type: 'voice' | 'video';
  started_at: Date;
  ended_at?: Date;
  status: 'initiated' | 'ringing' | 'ongoing' | 'ended' | 'missed' | 'rejected';
  duration: number;
  participants: CallParticipant[];
  metadata: Record<string, unknown>;
  conversation_id: string;
  /** The two of a pair's call. */
  party_ids?: ObjectId[];
  answered_at?: Date;
  /** Who is in the call now. */
  seats: CallSeat[];
  /** Callees whose devices ring. */
  ringing_ids: ObjectId[];
  /** Who is told of changes. */
  told_ids: ObjectId[];
  ring_until?: Date;
  /** When time changes the call next: what the sweepers look for. */
  deadline_at?: Date;
  /** Present until the call is over: what the partial indexes go by. */
  is_open?: true;
  /** Grows by one with each change: what each conditional update compares. */
  version: number;
  /** Of the write that made this version: tells whether it arrived when its answer did not. */
  write_id: ObjectId;
}

/** Work that must be done some time, by whichever node lives then. */
export interface JobDocument {
  /** Its kind and key. */
  _id: string;
  kind: string;
  /** No secrets: it is stored as it is. */
  payload: Record<string, string | number | boolean>;
  /** When it is to be done; moved on by whoever claims it. */
  due_at: Date;
  attempts: number;
}

/** A server process that runs, or did. */
export interface NodeDocument {
  /** New at each start. */
  _id: string;
  /** The machine with its table of processes: whoever shares it can see whether `pid` still runs. */
  machine: string;
  pid: number;
  /** Grows while the node lives. */
  beat: number;
  seen_at: Date;
  /** Since when it cannot tell the other nodes what it stores, if so. */
  cut_off_at?: Date;
}

interface UploadDocument {
  _id: ObjectId;
  filename: string;
  original_filename: string;
  file_size: number;
  mime_type: string;
  uploader_id: ObjectId;
  message_id?: ObjectId;
  group_message_id?: ObjectId;
  created_at: Date;
  is_deleted: boolean;
  /** Its bytes are there, or were not all removed yet. */
  stored?: true;
  /** No message has been sent with it. */
  unsent?: true;
  /** When it was last about to be sent or shown: the clean-up of what was never sent counts from here. */
  used_at: Date;
}

export interface MediaDocument extends UploadDocument {
  media_type: 'image' | 'video' | 'audio';
  duration?: number;
  thumbnail?: string;
  width?: number;
  height?: number;
  view_count: number;
  optimized?: boolean;
  /** Bytes of the thumbnail. */
  thumbnail_size?: number;
}

export interface FileDocument extends UploadDocument {
  download_count: number;
}

/** Bytes that no document speaks of yet: whatever becomes of the upload, these are found again. */
export interface PendingUploadDocument {
  /** The id that the Media or File document will have. */
  _id: ObjectId;
  /** Under which bytes are, or may be, stored. */
  keys: string[];
  expires_at: Date;
  /** The clean-up has taken it over: whoever still works on it must give up. */
  abandoned?: true;
  /** A resumable upload, until it is finished. */
  resumable?: ResumableUpload;
}

export interface ResumableUpload {
  uploader_id: ObjectId;
  kind: 'media' | 'file';
  original_filename: string;
  /** Of the whole, in bytes. */
  size: number;
  /** How many bytes have been received. */
  offset: number;
  /** Where they are, in order. */
  parts: { key: string; size: number }[];
  created_at: Date;
}
