/** What is pushed of a conversation. Pure: what it rests on was read just before. */
import type { ObjectId } from 'mongodb';
import type { MembershipDocument } from '../../model/documents/conversations.ts';
import type { MessageDocument } from '../../model/documents/messages.ts';
import type { Acknowledged } from '../acknowledgements.ts';
import { type Payload, type Person, previewOf } from '../payloads.ts';
import { collapseOf, type Decision, LONGEST_TTL_S, NOTHING_SHOWN, type Situation } from './decision.ts';

/** How long a connected session has to acknowledge a message, in milliseconds. */
const ACKNOWLEDGE_MS = 10_000;
/** How long to wait for a message that was told of and is not there yet, in milliseconds; and how often to look. */
const MESSAGE_LATE_MS = 30_000;
const LOOK_FOR_MESSAGE_MS = 1000;
/** When to look first whether what a device shows was read elsewhere, in milliseconds; then half as often each time. */
const FIRST_LOOK_MS = 60_000;
const LONGEST_LOOK_MS = 86_400_000;

/** A user's place in a conversation. */
export interface Place {
  membership: Pick<MembershipDocument, 'read_seq' | 'muted_until'>;
  /** Messages up to this `seq` are not visible. */
  fromSeq: number;
  /** Of a group. */
  groupName?: string;
}

export type PushedMessage = Pick<
  MessageDocument,
  'seq' | 'rev' | 'sender_id' | 'created_at' | 'content' | 'mentions' | 'thread_id' | 'aside'
>;

/** What is read of the messages for one job. */
export interface Found {
  /** The newest message that may be pushed. */
  newest: PushedMessage | undefined;
  /** When the oldest of them that the session has not acknowledged was sent. */
  oldestAt: Date | undefined;
  /** Whether the newest or the oldest is a reply beside the conversation. */
  hasAside: boolean;
  /** The highest `seq` and `rev` that are stored. */
  seq: number;
  rev: number;
}

export interface ConversationFacts {
  /** Undefined where the user is not in it any more. */
  place: Place | undefined;
  /** How far the user, and the session itself, have read the conversation, or the thread, of what the device shows. */
  shownRead: { byUser: number; bySession: number };
  found: Found;
  now: Date;
}

/** What else a payload needs: read only where there is one. */
export interface Counted {
  sender: Person | undefined;
  badge: number;
  unreadCount: number;
  preview: boolean;
}

/** The `seq` above which messages may be pushed. */
export function floorOf({ told = 0 }: { told?: number }, place: Place, { delivered_seq }: Acknowledged): number {
  return Math.max(place.fromSeq, place.membership.read_seq, told, delivered_seq);
}

/** Decides as far as that needs no counting: `message` and `read` say what would be pushed. */
export type Intention =
  | Exclude<Decision, { kind: 'push' }>
  | { kind: 'message'; message: PushedMessage; place: Place; told: number; lookAt: Date }
  | { kind: 'read'; place: Place; told: number };

export function intend({ job, wantsPush, isConnected }: Situation, facts: ConversationFacts): Intention {
  const { place, found, shownRead, now } = facts;
  const told = Math.max(job.told ?? 0, found.seq);
  if (!place) return { kind: 'skip', noted: NOTHING_SHOWN };
  if (!wantsPush) return { kind: 'skip', noted: { told, ...NOTHING_SHOWN } };
  const { newest, oldestAt = now } = found;
  const mayBeMissing = (job.rev ?? 0) > found.rev && ageOf(job.waits_since ?? now, now) < MESSAGE_LATE_MS;
  const lookForMessage = new Date(now.getTime() + LOOK_FOR_MESSAGE_MS);
  if (newest) {
    const dueAt = oldestAt.getTime() + ACKNOWLEDGE_MS;
    if (isConnected && dueAt > now.getTime()) return { kind: 'later', at: new Date(dueAt) };
    const lookAt = mayBeMissing ? lookForMessage : new Date(now.getTime() + FIRST_LOOK_MS);
    return { kind: 'message', message: newest, place, told: Math.max(told, newest.seq), lookAt };
  }
  if (mayBeMissing) return { kind: 'later', at: lookForMessage };
  const { shown } = job;
  if (shown === undefined) return { kind: 'skip', noted: { told } };
  if (shownRead.byUser < shown) return lookAgain(job, told, now);
  // A session that has read it itself has nothing to take away.
  if (shownRead.bySession >= shown) return { kind: 'skip', noted: { told, ...NOTHING_SHOWN } };
  return { kind: 'read', place, told };
}

/** Nothing is to be taken away yet. */
function lookAgain({ looks = 0 }: { looks?: number }, told: number, now: Date): Decision & { kind: 'skip' } {
  const lookAt = new Date(now.getTime() + Math.min(FIRST_LOOK_MS * 2 ** looks, LONGEST_LOOK_MS));
  return { kind: 'skip', noted: { told, looks: looks + 1 }, lookAt };
}

/** Makes the push of an intention. */
export function pushOf(
  { job }: Situation,
  intention: Extract<Intention, { kind: 'message' | 'read' }>,
  { sender, badge, unreadCount, preview }: Counted,
  now: Date,
): Decision {
  const collapse = collapseOf(job);
  const { told, place } = intention;
  if (intention.kind === 'read') {
    if (unreadCount > 0) return lookAgain(job, told, now);
    const { read_seq } = place.membership;
    const payload: Payload = { type: 'read', conversation_id: job.subject, read_seq, badge };
    const push = { payload, collapse, ttlS: LONGEST_TTL_S, urgency: 'low' as const };
    return { kind: 'push', push, noted: { told, ...NOTHING_SHOWN } };
  }
  const { message, lookAt } = intention;
  if (!sender) return { kind: 'skip', noted: { told } };
  const text = preview ? previewOf(message.content) : undefined;
  const thread_id = message.aside ? message.thread_id : undefined;
  const payload: Payload = {
    type: 'message',
    conversation_id: job.subject,
    seq: message.seq,
    rev: message.rev,
    sender,
    ...(place.groupName === undefined ? {} : { group_name: place.groupName }),
    unread_count: unreadCount,
    badge,
    ...(text === undefined ? {} : { preview: text }),
    ...(mentionsUser(message, job.user_id) ? { mention: true as const } : {}),
    ...(thread_id ? { thread_id: thread_id.toHexString() } : {}),
  };
  const push = { payload, collapse, ttlS: LONGEST_TTL_S, urgency: 'high' as const };
  const shown = { shown: message.seq, shown_thread: thread_id };
  return { kind: 'push', push, noted: { told, looks: 0, ...shown }, lookAt, unsure: shown, at: message.created_at };
}

/** Whether only what mentions the user is pushed. */
export function isMuted({ membership: { muted_until } }: Place, now: Date): boolean {
  return muted_until !== undefined && muted_until > now;
}

function mentionsUser({ mentions }: PushedMessage, userId: ObjectId): boolean {
  return mentions?.everyone === true || mentions?.user_ids?.some((id) => id.equals(userId)) === true;
}

const ageOf = (since: Date, now: Date) => now.getTime() - since.getTime();
