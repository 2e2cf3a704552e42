import type { ObjectId } from 'mongodb';

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

/** An upload under way, and its bytes that no document refers to yet: whatever becomes of it, they are found again. */
export interface PendingUploadDocument {
  /** The id that the media or file document will have. */
  _id: ObjectId;
  /** The keys under which bytes are, or may be, stored. */
  keys: string[];
  uploader_id: ObjectId;
  /** What it counts in the uploader's quota: its `file_size` as far as that is known. Absent: nothing. */
  bytes?: number;
  /** What a request is bringing, in bytes, at least; until it has arrived. */
  expected?: number;
  /** The node that works on it; absent for a resumable upload, which any node may continue. */
  node_id?: string;
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

/** How much a user's uploads hold together, for the quota. */
export interface UploadUsageDocument {
  /** The user. */
  _id: ObjectId;
  /** Never less than what is stored, or certain to be stored unless it fails. */
  bytes: number;
  /** The same, with what requests are bringing. */
  held: number;
  /** Grows by one with each change. */
  version: number;
  /** Changes under way, each with the node that makes it. */
  changes: { id: ObjectId; node_id: string }[];
}
