/** What waits to be sent. */
import type { CommandPayload, Target, WireError } from '../contract.ts';

type SendPayload = CommandPayload<'message:send'>;
type Own = 'recipient_id' | 'group_id' | 'client_message_id' | 'message_type' | 'attachment' | 'metadata';

/** What an app sends: what `message:send` takes beside its target. */
export type Draft = Omit<SendPayload, Own> & {
  /** As `upload` gave it. */
  attachment?: { media_id: string; message_type?: 'image' | 'audio' | 'video' | 'document' } | null;
  metadata?: Record<string, unknown>;
};

export interface Item {
  /** The `client_message_id`. */
  id: string;
  /** Items of a conversation go out in this order. */
  order: string;
  target: Target;
  draft: Draft;
  /** When it was written, ISO 8601. */
  created_at: string;
  /** What is shown of a message that is forwarded until the server has told it. */
  shown?: Pick<Draft, 'attachment'> & { content: string };
  /** Why the server refused it. */
  failed?: WireError;
}

/** The payload of `message:send`. */
export function payloadOf({ id, target, draft }: Item): SendPayload {
  const { attachment, ...others } = draft;
  const { media_id, message_type } = attachment ?? {};
  const sent = Object.entries(others).filter(([, value]) => value !== undefined);
  return {
    ...target,
    ...Object.fromEntries(sent),
    content: draft.content,
    ...(media_id === undefined ? {} : { attachment: { media_id } }),
    ...(message_type === undefined ? {} : { message_type }),
    client_message_id: id,
  } as SendPayload;
}

let last = 0;

/** A place behind all that were given before, by this client and, as far as clocks agree, by others. */
export function nextOrder(): string {
  last = Math.max(last + 1, Date.now() * 1000);
  return String(last).padStart(17, '0');
}

/** A random id of 128 bits. `crypto.randomUUID` is only there in secure contexts. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
