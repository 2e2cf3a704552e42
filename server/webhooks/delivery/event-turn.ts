/** One turn of what happened to a group, user or call: stored events, in their order; each goes when it was taken. */
import { partitionOf } from '../../cluster/partitions.ts';
import { createLru } from '../../lib/lru.ts';
import type { Collections } from '../../model/collections.ts';
import type { WebhookDocument } from '../../model/documents/webhooks.ts';
import type { Failures, TryEvent } from './attempts.ts';
import { cursorId } from './cursor-store.ts';
import type { Turn } from './schedule.ts';
import { eventId } from './sender.ts';

const LIMIT = 50;
const REMEMBERED = 10_000;

export interface EventTurnOptions {
  webhook(): WebhookDocument;
  collections: Pick<Collections, 'webhook_cursors' | 'webhook_events'>;
  tryEvent: TryEvent;
}

/** @returns tells what waits of a stream */
export function createEventTurn({ webhook, collections, tryEvent }: EventTurnOptions) {
  const { webhook_cursors, webhook_events } = collections;

  /** The number of the last event that was told, by stream: one that was moved on twice is not told twice. */
  const last = createLru<number>('webhook events', REMEMBERED);

  async function keep(stream: string, failures: Failures): Promise<void> {
    const { _id: webhook_id, feed_id } = webhook();
    await webhook_cursors.updateOne(
      { _id: cursorId(webhook(), stream) },
      { $set: failures, $setOnInsert: { webhook_id, feed_id, partition: partitionOf(stream), stream } },
      { upsert: true },
    );
  }

  return async function takeTurn(stream: string): Promise<Turn> {
    const { _id: webhook_id, types } = webhook();
    const [events, kept] = await Promise.all([
      webhook_events
        .find({ webhook_id, partition: partitionOf(stream), stream })
        .sort({ number: 1 })
        .limit(LIMIT)
        .toArray(),
      webhook_cursors.findOne({ _id: cursorId(webhook(), stream) }),
    ]);
    let failures: Failures = kept ?? {};
    let hasFailed = kept !== null;
    for (const { _id, number, type, at, data } of events) {
      if (types.includes(type) && number > (last.get(stream) ?? -1)) {
        const id = eventId(webhook_id.toHexString(), stream, number);
        const attempt = await tryEvent(stream, { id, type, at, data }, failures);
        if (attempt.outcome !== 'ok') {
          failures = attempt.failures;
          hasFailed = true;
          await keep(stream, failures);
          if (attempt.outcome !== 'passed_over') return attempt.outcome === 'refused' ? 'refused' : 'failed';
        } else if (hasFailed) {
          await webhook_cursors.deleteOne({ _id: cursorId(webhook(), stream) });
          [failures, hasFailed] = [{}, false];
        }
      }
      last.set(stream, Math.max(number, last.get(stream) ?? -1));
      await webhook_events.deleteOne({ _id });
    }
    return events.length === LIMIT ? 'more' : 'done';
  };
}
