import type { ObjectId } from 'mongodb';
import type { WebhookType } from '../../../shared/contract/webhooks.ts';

/** A receiver of the operator's, and what it wants to be told. */
export interface WebhookDocument {
  _id: ObjectId;
  /** Unique. */
  name: string;
  url: string;
  types: WebhookType[];
  /** The signing secret, encrypted (`webhooks/secrets.ts`). */
  secret: string;
  /** The feed of messages: new when messages are first wanted, so that what was told before is no concern of it. */
  feed_id: ObjectId;
  /** When that began. */
  since: Date;
  created_at: Date;
  /** Grows with each change: a node that sees it grow tries again at once. */
  version: number;
}

/** Why the last attempt of a stream was not taken. */
export interface FailedAttempt {
  at: Date;
  /** Without the URL. */
  error: string;
}

/** How far a feed has told a conversation; and the last attempt of any stream, where it failed. */
export interface WebhookCursorDocument {
  /** Feed (or webhook) and stream. */
  _id: string;
  webhook_id: ObjectId;
  /** The feed, of a conversation. */
  feed_id: ObjectId;
  partition: number;
  /** The conversation's id; or what else has an order of its own: `group:…`, `user:…`, `call:…`. */
  stream: string;
  /** Told up to here. Of conversations only. */
  rev?: number;
  /** The `seq`s that the receiver has had, as ranges: from, to, from, to … ascending. */
  had?: number[];
  /** Names the last replay: ids of what is told again are new. */
  replay?: string;
  /** The newest `rev` that is known to wait; absent where nothing does. */
  behind?: number;
  failed?: FailedAttempt;
  /** Since when every attempt was refused. */
  refused_since?: Date;
}

/** What happened to a group, user or call, to be told to one webhook. It is removed once it was taken. */
export interface WebhookEventDocument {
  /** Webhook, stream and number. */
  _id: string;
  webhook_id: ObjectId;
  partition: number;
  stream: string;
  /** The order within the stream: the version of the document. */
  number: number;
  type: WebhookType;
  at: Date;
  /** What is sent, as JSON. */
  data: string;
}
