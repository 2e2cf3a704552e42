/** What tests of all providers of push share: what is sent, and what they do alike. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createOutbound, type Outbound } from '../../../server/lib/outbound/outbound.ts';
import type { Payload } from '../../../server/push/payloads.ts';
import type { Provider, Push } from '../../../server/push/providers/provider.ts';
import type { ApnsStandIn } from './apns-stand-in.ts';

const bob = { user_id: '6650a1f0c2a4b8d9e0f10002', username: 'bob', full_name: 'Bob Stone' };
export const payloads = {
  message: { type: 'message', conversation_id: 'a-b', seq: 7, rev: 9, sender: bob, unread_count: 2, badge: 1 },
  call: { type: 'call', call_id: '6650', call_type: 'video', from: bob, expires_at: '2026-05-24T18:30:00.000Z' },
  call_over: { type: 'call_over', call_id: '6650', reason: 'cancelled' },
  read: { type: 'read', conversation_id: 'a-b', read_seq: 7, badge: 0 },
  contact_request: { type: 'contact_request', from: bob, badge: 3 },
} satisfies Record<string, Payload>;
export const push = (payload: Payload = payloads.message, over: Partial<Push> = {}): Push => ({
  payload,
  collapse: 'c0ll4ps3',
  ttlS: 2_419_200,
  urgency: 'high',
  ...over,
});

/** The way out of each test of a file. */
export function outboundOfTest(): () => Outbound {
  let outbound: Outbound;
  beforeEach(() => {
    outbound = createOutbound({ allowPrivate: true });
  });
  afterEach(() => outbound.close());
  return () => outbound;
}

/** What every provider does alike: answers by status. */
export function judged(
  start: () => Promise<{ provider: Provider; script: { next: ApnsStandIn['next'] }; to: object }>,
) {
  it.each([
    [429, { 'retry-after': '7' }, { kind: 'retry', afterMs: 7000 }],
    [503, {}, { kind: 'retry' }],
    [
      500,
      { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() },
      { kind: 'retry', afterMs: expect.any(Number) },
    ],
    [404, {}, { kind: 'gone' }],
    [410, {}, { kind: 'gone' }],
    [400, {}, { kind: 'refused' }],
    [403, {}, { kind: 'refused' }],
    [413, {}, { kind: 'refused' }],
    [301, { location: 'http://127.0.0.1:1/' }, { kind: 'refused' }],
  ])('takes %i with %j for what it says', async (status, headers, outcome) => {
    const { provider, script, to } = await start();
    script.next({ status, headers });
    expect(await provider.send(to as never, push())).toMatchObject(outcome);
    expect(await provider.send(to as never, push())).toEqual({ kind: 'ok' });
  });
}
