import type { ObjectId } from 'mongodb';

/** Where a device of a session is reached while it has no connection. Its addresses are secrets: they are in no log. */
export interface PushSubscriptionDocument {
  _id: ObjectId;
  provider: 'webpush' | 'fcm' | 'apns';
  /** A digest of provider and address: the same subscription again is the same document. */
  key: string;
  /** The endpoint, or the token of the device. */
  address: string;
  /** Of Web Push: the public key of the browser, and the secret that it shares with this server (RFC 8291). */
  keys?: { p256dh: string; auth: string };
  /** Of APNs: the token for calls. */
  voip_token?: string;
  /** The session that named it last, and its user. */
  session_id: ObjectId;
  user_id: ObjectId;
  created_at: Date;
  named_at: Date;
}
