/** The documents as they are stored, with native types: ObjectId and Date (PROTOCOL section 1). */
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
  /** The username in lower case: unique, and the key of searches and sign-ins. */
  username_key: string;
  email: string;
  email_key: string;
  password: string;
  /** The five hashes before the current one, newest first. */
  password_history: string[];
  last_password_change: Date;
  full_name: string | null;
  /** The full name, folded for prefix search. */
  full_name_key: string;
  profile_picture: string | null;
  bio: string;
  settings: Settings;
  created_at: Date;
  updated_at: Date;
  last_seen: Date;
  is_active: boolean;
  /** Grows by one with each change that is sent, so that of two states the newer is known. Never on the wire. */
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

/** At most one per user, under the user's id: a new token replaces the one before in one write. */
export interface PasswordResetDocument {
  _id: ObjectId;
  user_id: ObjectId;
  /** SHA-256 of the password hash that the token replaces: once the password changes, the token is void. */
  password_fingerprint: string;
  /** SHA-256 of the token; the token itself is in the mail only. */
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
  reply_to?: ObjectId;
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
  read_by: ObjectId[];
}

export type MessageDocument = PairMessageDocument | GroupMessageDocument;

/** The summary of a conversation: derived from its messages, and repaired by whoever finds it behind. */
export interface ConversationDocument {
  _id: string;
  kind: 'direct' | 'group';
  /** The two users of a pair; a group's members are in `memberships`. */
  user_ids?: ObjectId[];
  group_id?: ObjectId;
  last_seq: number;
  rev: number;
  last_message_id?: ObjectId;
  /** When the newest message was sent, or the group created; lists are ordered by it. */
  activity_at: Date;
  /** When anything in it last changed, for the `since` of `sync`. */
  changed_at: Date;
  created_at: Date;
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
  delivered_seq: number;
  read_seq: number;
  /** The `read_seq` that others see: while a setting hides what the user reads, it stays where it was. */
  shown_read_seq: number;
  muted_until?: Date;
  pinned?: boolean;
  archived?: boolean;
  /** When the user's own view of the conversation last changed: marks, settings, joining, leaving. */
  changed_at: Date;
  /** When the marks that others see last grew. */
  marks_at?: Date;
  /** As in `UserDocument`. */
  version?: number;
}

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

export interface PresenceDocument {
  _id: ObjectId;
  user_id: ObjectId;
  status: 'online' | 'away' | 'busy' | 'offline';
  last_active: Date;
  custom_status?: string;
  device_info?: DeviceInfo;
  /** As in `UserDocument`. */
  version?: number;
}

export interface CallParticipant {
  user_id: ObjectId;
  joined_at: Date;
  left_at?: Date;
}

/** A participant's seat in a call: on a socket of a node, or, once that is lost, nowhere until the grace period ends. */
export interface CallSeat {
  user_id: ObjectId;
  socket_id?: string;
  node_id?: string;
  lost_until?: Date;
}

/** A call. The fields after `metadata` are internal and never go over the wire. */
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
  /** The two users of a direct call. */
  party_ids?: ObjectId[];
  answered_at?: Date;
  /** The users who are in the call now. */
  seats: CallSeat[];
  /** The callees whose devices ring. */
  ringing_ids: ObjectId[];
  /** The users who are told of changes. */
  told_ids: ObjectId[];
  ring_until?: Date;
  /** When the next deadline changes the call; sweepers look for it. */
  deadline_at?: Date;
  /** Present until the call is over; the partial indexes depend on it. */
  is_open?: true;
  /** Grows by one with each change; each conditional update compares it. */
  version: number;
  /** Names the write that made this version: shows whether a write arrived whose answer did not. */
  write_id: ObjectId;
}

/** Work that must be done at some time, by whichever node is alive then. */
export interface JobDocument {
  /** The kind and key of the job. */
  _id: string;
  kind: string;
  /** Stored as it is, so it must hold no secrets. */
  payload: Record<string, string | number | boolean>;
  /** When the job is due; whoever claims it moves this on. */
  due_at: Date;
  attempts: number;
}

/** A server process that is running, or was. */
export interface NodeDocument {
  /** New at each start. */
  _id: string;
  /** The machine and its table of processes: whoever shares it can see whether `pid` still runs. */
  place: string;
  pid: number;
  /** Grows while the node lives. */
  beat: number;
  seen_at: Date;
  /** Since when the node has been unable to tell others what it stores, if it is. */
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
  /** Set while its bytes, or some of them, are stored. */
  stored?: true;
  /** Set until a message is sent with it. */
  unsent?: true;
  /** When it was last about to be sent or shown; the clean-up of unsent uploads counts from here. */
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
  /** In bytes. */
  thumbnail_size?: number;
}

export interface FileDocument extends UploadDocument {
  download_count: number;
}

/** Stored bytes that no document refers to yet: whatever becomes of the upload, they are found again. */
export interface PendingUploadDocument {
  /** The id that the media or file document will have. */
  _id: ObjectId;
  /** The keys under which bytes are, or may be, stored. */
  keys: string[];
  expires_at: Date;
  /** The clean-up has taken it over, and whoever still works on it must give up. */
  abandoned?: true;
  /** Present for a resumable upload until it is finished. */
  resumable?: ResumableUpload;
}

export interface ResumableUpload {
  uploader_id: ObjectId;
  kind: 'media' | 'file';
  original_filename: string;
  /** Of the whole upload, in bytes. */
  size: number;
  /** How many bytes have arrived. */
  offset: number;
  /** Where they are stored, in order. */
  parts: { key: string; size: number }[];
  created_at: Date;
}
