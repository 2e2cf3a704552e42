/** What is decided of a job at the moment when a push would go out. */
import { createHash } from 'node:crypto';
import type { ObjectId } from 'mongodb';
import type { PushJobDocument, PushSubscriptionDocument } from '../../model/documents/push.ts';
import type { Push } from '../providers/provider.ts';

/** By how much the times of two nodes may differ, in milliseconds. */
const CLOCKS_MS = 100;

/** From when on what happens is pushed to a subscription: what was sent right after it may carry an earlier time. */
export function beginningOf({ since }: Pick<PushSubscriptionDocument, 'since'>): Date {
  return new Date(since.getTime() - CLOCKS_MS);
}

/** What a device may show; undefined takes a field away. */
export interface Shown {
  shown: number | undefined;
  shown_thread: ObjectId | undefined;
}

/** It shows nothing. */
export const NOTHING_SHOWN: Shown = { shown: undefined, shown_thread: undefined };

/** What is noted of a job when it is done. */
export type Noted = { told?: number; looks?: number } & Partial<Shown>;

/** A job with what is true of its subscription now. */
export interface Situation {
  job: PushJobDocument;
  subscription: PushSubscriptionDocument;
  /** Whether the user wants to be told anything. */
  wantsPush: boolean;
  /** Whether the session has a connection, on any node. */
  isConnected: boolean;
}

export type Decision =
  /** Nothing is to be pushed, until there is a reason to look again, or at a time. */
  | { kind: 'skip'; noted: Noted; lookAt?: Date }
  /** It is too early to say. */
  | { kind: 'later'; at: Date }
  /**
   * @param noted once it is pushed, or refused; `unsure`: what the device may show where no answer came; `at`: when what is
   *   pushed happened, where an earlier push of the job may have waited before
   */
  | { kind: 'push'; push: Push; noted: Noted; lookAt?: Date; unsure?: Shown; at?: Date };

/** How long providers keep what is no call, in seconds: 28 days, the most that FCM allows. */
export const LONGEST_TTL_S = 28 * 86_400;

const COLLAPSE_LENGTH = 32;

/** A name under which pushes of a job replace each other. It tells a provider nothing, not even of two devices. */
export function collapseOf({ _id }: Pick<PushJobDocument, '_id'>): string {
  return createHash('sha256').update(_id).digest('base64url').slice(0, COLLAPSE_LENGTH);
}
