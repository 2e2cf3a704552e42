/** One attempt: the event as a signed POST, and what its answer means. */
import { createHash } from 'node:crypto';
import type { WebhookType } from '../../../shared/contract/webhooks.ts';
import { type Outbound, OutboundError } from '../../lib/outbound/outbound.ts';
import type { WebhookDocument } from '../../model/documents/webhooks.ts';
import { signatureHeaders, type WebhookSecrets } from '../secrets.ts';

export interface FeedEvent {
  /** The same for each attempt. */
  id: string;
  type: WebhookType;
  /** When it happened. */
  at: Date;
  /** What is sent, as JSON. */
  data: string;
}

/** Taken (2xx in time); refused, which another attempt alone will not change (4xx but 408 and 429); or failed. */
export type Outcome = { kind: 'taken' } | { kind: 'refused' | 'failed'; error: string };

export type SendEvent = (webhook: WebhookDocument, event: FeedEvent, signal: AbortSignal) => Promise<Outcome>;

const HEADERS = { 'content-type': 'application/json', 'user-agent': 'LetsApp-Webhooks/1' };

export interface SenderOptions {
  outbound: Pick<Outbound, 'post'>;
  secrets: Pick<WebhookSecrets, 'open'>;
  clock(): Date;
}

export function createSender({ outbound, secrets, clock }: SenderOptions): SendEvent {
  function open(sealed: string): Buffer | undefined {
    try {
      return secrets.open(sealed);
    } catch {
      return undefined;
    }
  }

  return async ({ url, secret }, { id, type, at, data }, signal) => {
    const key = open(secret);
    if (!key) return { kind: 'failed', error: 'its secret was encrypted under another signing key: rotate it' };
    const body = `{"type":${JSON.stringify(type)},"timestamp":${JSON.stringify(at)},"data":${data}}`;
    const headers = { ...HEADERS, ...signatureHeaders(key, id, clock(), body) };
    try {
      const { status } = await outbound.post({ url, headers, body, signal });
      if (status >= 200 && status < 300) return { kind: 'taken' };
      const isRefusal = status >= 400 && status < 500 && status !== 408 && status !== 429;
      return { kind: isRefusal ? 'refused' : 'failed', error: `answered ${status}` };
    } catch (error) {
      if (error instanceof OutboundError) return { kind: 'failed', error: error.message };
      throw error;
    }
  };
}

/** The id of an event, which no other one has: the same however often it is sent. */
export function eventId(...parts: (string | number)[]): string {
  return `msg_${createHash('sha256').update(parts.join(' ')).digest('base64url').slice(0, 27)}`;
}
