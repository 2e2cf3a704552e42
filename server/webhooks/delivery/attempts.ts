/** Attempts to tell one event, with what follows of each for the receiver: counted, and passed over where it must be. */
import type { Logger } from 'pino';
import type { FailedAttempt, WebhookDocument } from '../../model/documents/webhooks.ts';
import type { FeedEvent, SendEvent } from './sender.ts';

/** A stream whose every attempt is refused for this long is passed over, in milliseconds. */
const PASS_OVER_MS = 3_600_000;

/** `retry`: the receiver failed. `refused`: it refused, and is asked again. `passed_over`: for too long. */
export type DeliveryOutcome = 'ok' | 'retry' | 'refused' | 'passed_over';

/** What is kept of a stream's failures; absent where its last attempt was taken. */
export interface Failures {
  failed?: FailedAttempt;
  refused_since?: Date;
}

export type Attempt =
  | { outcome: 'ok' }
  | { outcome: Exclude<DeliveryOutcome, 'ok'>; failures: Failures & { failed: FailedAttempt } };

/** @param before what is kept of the stream's failures */
export type TryEvent = (stream: string, event: FeedEvent, before: Failures) => Promise<Attempt>;

export interface AttemptsOptions {
  webhook(): WebhookDocument;
  send: SendEvent;
  /** The receiver has answered in time. */
  onAnswer(): void;
  count(outcome: DeliveryOutcome): void;
  signal: AbortSignal;
  clock(): Date;
  log: Logger;
  /** In milliseconds; for tests. */
  passOverMs?: number | undefined;
}

export function createAttempts(options: AttemptsOptions): TryEvent {
  const { webhook, send, onAnswer, count, signal, clock, log, passOverMs = PASS_OVER_MS } = options;

  return async (stream, event, { refused_since }) => {
    const outcome = await send(webhook(), event, signal);
    const at = clock();
    if (outcome.kind !== 'failed') onAnswer();
    if (outcome.kind === 'taken') {
      count('ok');
      return { outcome: 'ok' };
    }
    const failed = { at, error: outcome.error };
    if (outcome.kind === 'failed') {
      count('retry');
      // How long it was refused before still counts: nothing was taken in between.
      return { outcome: 'retry', failures: { failed, ...(refused_since ? { refused_since } : {}) } };
    }
    const since = refused_since ?? at;
    const failures = { failed, refused_since: since };
    if (at.getTime() - since.getTime() < passOverMs) {
      count('refused');
      return { outcome: 'refused', failures };
    }
    count('passed_over');
    log.warn(
      { webhook: webhook().name, stream, webhook_id: event.id, error: failed.error },
      'an event was passed over',
    );
    return { outcome: 'passed_over', failures };
  };
}
