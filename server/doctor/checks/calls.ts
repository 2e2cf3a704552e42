/** Calls that ring or go on although their time is over. */
import { overdue as overdueOf } from '../../calls/deadline.ts';
import { transition } from '../../calls/machine.ts';
import { createCallStore } from '../../calls/store.ts';
import { UNTOLD } from '../../outbox/outbox.ts';
import type { Check, CheckContext } from '../check.ts';

/** A live node ends what is due within a second or two. */
const GRACE_MS = 30_000;
/** What time does to a call does not depend on how many may be in it. */
const MOST = Number.POSITIVE_INFINITY;

export const calls: Check = {
  name: 'calls',
  async *find(context) {
    const late = new Date(context.clock().getTime() - GRACE_MS);
    const open = context.collections.calls.find({ is_open: true, deadline_at: { $lte: late } });
    for await (const { _id } of open) {
      yield { what: `call ${_id}: past its deadline`, repair: () => pass(context, _id.toHexString()) };
    }
  },
};

/** Applies the deadlines that have passed, one after the other, as a node's sweeper does. */
async function pass({ collections, clock }: CheckContext, callId: string): Promise<void> {
  const store = createCallStore(collections, UNTOLD);
  for (;;) {
    const call = await store.find(callId);
    const deadline = call && overdueOf(call, clock());
    if (!call || !deadline) return;
    const outcome = transition(call, deadline.event, deadline.at, MOST);
    if (outcome.kind !== 'changed') return;
    await store.advance(outcome.call);
  }
}
