import pino from 'pino';
import { expect, it } from 'vitest';
import type { WebhookDocument } from '../../server/model/documents/webhooks.ts';
import { createAttempts, type Failures } from '../../server/webhooks/delivery/attempts.ts';
import type { FeedEvent, Outcome } from '../../server/webhooks/delivery/sender.ts';

const HOUR_MS = 3_600_000;
const EVENT: FeedEvent = { id: 'msg_1', type: 'message.new', at: new Date(0), data: '{}' };
const TAKEN: Outcome = { kind: 'taken' };
const REFUSED: Outcome = { kind: 'refused', error: 'answered 400' };
const FAILED: Outcome = { kind: 'failed', error: 'answered 503' };

/** Attempts to tell one event, at given times after the first one. */
function attempts() {
  let now = 0;
  let answer = TAKEN;
  let failures: Failures = {};
  const counted: string[] = [];
  const attempt = createAttempts({
    webhook: () => ({ name: 'w' }) as WebhookDocument,
    send: async () => answer,
    onAnswer: () => {},
    count: (outcome) => void counted.push(outcome),
    signal: new AbortController().signal,
    clock: () => new Date(now),
    log: pino({ level: 'silent' }),
  });
  return {
    counted,
    async at(ms: number, outcome: Outcome) {
      now = ms;
      answer = outcome;
      const result = await attempt('stream', EVENT, failures);
      failures = result.outcome === 'ok' ? {} : result.failures;
      return result.outcome;
    },
  };
}

it('an event that is refused for an hour is passed over, and not before', async () => {
  const { at, counted } = attempts();
  expect(await at(0, REFUSED)).toBe('refused');
  expect(await at(HOUR_MS - 1, REFUSED)).toBe('refused');
  expect(await at(HOUR_MS, REFUSED)).toBe('passed_over');
  expect(counted).toEqual(['refused', 'refused', 'passed_over']);
});

it('a receiver that fails is waited for as long as it takes; refusals before count on', async () => {
  const { at } = attempts();
  expect(await at(0, FAILED)).toBe('retry');
  expect(await at(100 * HOUR_MS, FAILED)).toBe('retry');
  expect(await at(101 * HOUR_MS, REFUSED)).toBe('refused');
  expect(await at(101.5 * HOUR_MS, FAILED)).toBe('retry');
  expect(await at(102 * HOUR_MS, REFUSED)).toBe('passed_over');
});
