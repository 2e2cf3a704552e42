/** Calls that ring become jobs for the sessions that cannot hear them. */
import { groupBy } from '../../lib/group-by.ts';
import type { Collections } from '../../model/collections.ts';
import type { CallDocument } from '../../model/documents/calls.ts';
import type { Knock } from '../jobs/job-store.ts';
import type { SourceOptions } from './source.ts';

export interface RingingCallsOptions extends SourceOptions {
  collections: Pick<Collections, 'calls'>;
}

type Ringing = Pick<CallDocument, '_id' | 'ringing_ids'>;

/** @returns looks once; to be called several times a second */
export function createRingingCalls({
  collections,
  jobs,
  subscriptionsOf,
  connectedOf,
  onStored,
  clock,
}: RingingCallsOptions) {
  /** Jobs that were stored for calls that still ring. */
  let stored = new Set<string>();

  return async (): Promise<void> => {
    const now = clock();
    const ringing = await collections.calls
      .find<Ringing>(
        { is_open: true, ring_until: { $gt: now } },
        { projection: { ringing_ids: 1 }, hint: 'ringing', batchSize: 1000 },
      )
      .toArray();
    const userIds = [...new Set(ringing.flatMap((call) => call.ringing_ids.map((id) => id.toHexString())))];
    if (userIds.length === 0) {
      stored = new Set();
      return;
    }
    const found = await subscriptionsOf(userIds);
    const connected = await connectedOf(found.map(({ subscription }) => subscription.user_id.toHexString()));
    const away = found.filter(({ subscription: { session_id } }) => !connected.has(session_id.toHexString()));
    const awayOf = groupBy(away, ({ subscription }) => subscription.user_id.toHexString());
    const knocks = ringing.flatMap(({ _id, ringing_ids }) =>
      ringing_ids
        .flatMap((id) => awayOf.get(id.toHexString()) ?? [])
        .map((one): Knock => ({ ...one, kind: 'call', subject: _id.toHexString(), dueAt: now })),
    );
    const keyOf = ({ subscription, subject }: Knock) => `${subscription._id.toHexString()} ${subject}`;
    const fresh = knocks.filter((knock) => !stored.has(keyOf(knock)));
    await jobs.knock(fresh);
    stored = new Set(knocks.map(keyOf));
    if (fresh.length > 0) onStored();
  };
}
