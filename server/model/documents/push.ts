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
  /** When it came to its session: what was sent before is not pushed to it. */
  since: Date;
}

/**
 * Something of which a subscription may have to be told: a conversation, a call or a request. It says that there may be
 * something to push, and what has been; what is to be pushed is read when it goes out.
 */
export interface PushJobDocument {
  /** Subscription, session, kind and subject. */
  _id: string;
  subscription_id: ObjectId;
  session_id: ObjectId;
  user_id: ObjectId;
  kind: 'conversation' | 'call' | 'request';
  /** The conversation, the call, or who asks. */
  subject: string;
  provider: PushSubscriptionDocument['provider'];
  /** What may hang or fail as one. */
  lane: string;
  /** When it is to be looked at; absent while there is nothing to do. Whoever claims it moves this on. */
  due_at?: Date;
  /** Since when there may be something to push. */
  waits_since?: Date;
  /** Grows with each reason to look, so that what came during an attempt is not taken for done with it. */
  knocks: number;
  /** A conversation's `rev` that was told of. */
  rev?: number;
  /** Names the claim of the node that works on it; null while nobody does. */
  claim?: string | null;
  /** Claims since the last one that came to its end. */
  claims?: number;
  /** Attempts that failed one after the other, and since when. */
  attempts: number;
  failing_since?: Date;
  /** Of a conversation the highest `seq` that was pushed or passed over; of a request its time. */
  told?: number;
  /** The highest `seq` that was pushed, while the device may show it; of a call 1, until its end is pushed. */
  shown?: number;
  /** Set while that is a reply beside the conversation: the message that its thread hangs on. */
  shown_thread?: ObjectId;
  /** How often it was looked at whether what the device shows was read elsewhere. */
  looks?: number;
  expires_at: Date;
}

/** How far a session has itself acknowledged a conversation, or read a thread, of a user with subscriptions. */
export interface PushAcknowledgementDocument {
  /** Session and conversation, call, or message that a thread hangs on. */
  _id: string;
  delivered_seq: number;
  read_seq: number;
  expires_at: Date;
}
