/** Removes what is left of webhooks that are gone: a node may have noted something in the moment of the removal. */
import { ObjectId } from 'mongodb';
import type { Jobs } from '../cluster/jobs.ts';
import type { Collections } from '../model/collections.ts';

const EVERY_MS = 3_600_000;

export function removeLeftovers(
  { webhooks, webhook_cursors, webhook_events }: Pick<Collections, 'webhooks' | 'webhook_cursors' | 'webhook_events'>,
  jobs: Pick<Jobs, 'handle'>,
  clock: () => Date,
): void {
  jobs.handle('webhook-leftovers', {
    everyMs: EVERY_MS,
    async run() {
      const known = await webhooks.find({}, { projection: { feed_id: 1 } }).toArray();
      // Not of those that were made since.
      const old = ObjectId.createFromTime(Math.floor((clock().getTime() - EVERY_MS) / 1000));
      await webhook_cursors.deleteMany({ feed_id: { $nin: known.map(({ feed_id }) => feed_id), $lt: old } });
      await webhook_events.deleteMany({ webhook_id: { $nin: known.map(({ _id }) => _id), $lt: old } });
    },
  });
}
