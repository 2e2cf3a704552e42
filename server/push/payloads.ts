/** What is pushed (PROTOCOL section 15). It passes through others' hands: nothing stands in it that is not listed here. */
import type { CallReason } from '../../shared/contract/calls.ts';

export interface Person {
  user_id: string;
  username: string;
  full_name: string | null;
}

export interface MessagePayload {
  type: 'message';
  conversation_id: string;
  seq: number;
  rev: number;
  sender: Person;
  group_name?: string;
  unread_count: number;
  /** Conversations with unread messages that are not muted. */
  badge: number;
  preview?: string;
  mention?: true;
  /** Of a reply beside the conversation: the message that its thread hangs on. */
  thread_id?: string;
}

export interface CallPayload {
  type: 'call';
  call_id: string;
  call_type: 'voice' | 'video';
  from: Person;
  group_id?: string;
  group_name?: string;
  expires_at: string;
}

export interface CallOverPayload {
  type: 'call_over';
  call_id: string;
  reason: CallReason;
}

export interface ReadPayload {
  type: 'read';
  conversation_id: string;
  read_seq: number;
  badge: number;
}

export interface RequestPayload {
  type: 'contact_request';
  from: Person;
  badge: number;
}

export type Payload = MessagePayload | CallPayload | CallOverPayload | ReadPayload | RequestPayload;

const PREVIEW_CHARACTERS = 200;

/** The beginning of a text; undefined where there is none. */
export function previewOf(text: string): string | undefined {
  // Each character may be two UTF-16 units.
  const beginning = [...text.slice(0, 2 * PREVIEW_CHARACTERS)].slice(0, PREVIEW_CHARACTERS).join('');
  return beginning === '' ? undefined : beginning;
}
