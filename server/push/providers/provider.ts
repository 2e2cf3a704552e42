/** What the three providers have in common. */
import type { PushSubscriptionDocument } from '../../model/documents/push.ts';
import type { Payload } from '../payloads.ts';

/** A push as a provider is to deliver it. */
export interface Push {
  payload: Payload;
  /** The newest push of a name replaces those that wait at the provider: at most 32 characters of base64url. */
  collapse: string;
  /** How long the provider keeps it for a device that is off, in seconds. */
  ttlS: number;
  urgency: 'high' | 'normal' | 'low';
}

/** What became of a push; `reason` is for the log, and names nobody. */
export type Outcome =
  | { kind: 'ok' }
  /** The provider is away or asks to come back; without an answer it may have taken the push. */
  | { kind: 'retry'; reason: string; afterMs?: number; isUnanswered?: true }
  /** The device is not reached under this address any more. */
  | { kind: 'gone'; reason: string }
  /** The provider does not take this push. */
  | { kind: 'refused'; reason: string };

export type Recipient = Pick<PushSubscriptionDocument, 'provider' | 'address' | 'keys' | 'voip_token'>;

export interface Provider {
  /** Sends a push; never rejects. The provider has 10 s; whoever issues its tokens may take as long again. */
  send(to: Recipient, push: Push): Promise<Outcome>;
  /** Names what may hang or fail as one: pushes of other lanes do not wait for it. */
  laneOf(to: Recipient): string;
  close(): void;
}

export const OK: Outcome = { kind: 'ok' };

/**
 * What a status says where its provider has no word of its own for it.
 * @param detail further words of the provider
 */
export function outcomeOf(status: number, retryAfter: string | undefined, detail = ''): Outcome {
  const reason = detail === '' ? String(status) : `${status} ${detail}`;
  if (status >= 200 && status < 300) return OK;
  if (status === 404 || status === 410) return { kind: 'gone', reason };
  if (status === 429 || status >= 500) return { kind: 'retry', reason, ...waitOf(retryAfter) };
  return { kind: 'refused', reason };
}

/** Reads `Retry-After`, in seconds or as a date (RFC 9110, section 10.2.3). */
function waitOf(retryAfter: string | undefined): { afterMs?: number } {
  if (retryAfter === undefined) return {};
  const afterMs = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  return Number.isNaN(afterMs) ? {} : { afterMs: Math.max(0, afterMs) };
}

/** What it means that there is no answer. @param error says why, without any address */
export function unanswered(error: unknown): Outcome {
  return { kind: 'retry', isUnanswered: true, reason: error instanceof Error ? error.message : String(error) };
}
