/** Contact requests become jobs for the sessions that were not told. */
import type { Collections } from '../../model/collections.ts';
import type { Knock } from '../jobs/job-store.ts';
import type { SourceOptions } from './source.ts';

/** How far the first look of a node reaches back, in milliseconds: what is found again was told, as its job says. */
const FIRST_MS = 86_400_000;
/** How far each further look reaches back behind the last one: longer than a write takes. */
const MARGIN_MS = 10_000;

export interface ContactRequestsOptions extends SourceOptions {
  collections: Pick<Collections, 'contacts'>;
}

export interface ContactRequests {
  /** Looks once; to be called every second or so. */
  look(): Promise<void>;
  /** Another node has looked meanwhile: the next look reaches back far. */
  restart(): void;
}

export function createContactRequests(options: ContactRequestsOptions): ContactRequests {
  const { collections, jobs, subscriptionsOf, connectedOf, onStored, clock } = options;
  let from: number | undefined;
  /** Requests that the last look found. */
  let seen = new Set<string>();

  return {
    restart() {
      from = undefined;
      seen = new Set();
    },
    async look() {
      const now = clock();
      const since = new Date(from ?? now.getTime() - FIRST_MS);
      const requests = await collections.contacts
        .find(
          { direction: 'in', status: 'pending', created_at: { $gte: since } },
          { projection: { user_id: 1, contact_id: 1 }, hint: 'requests', batchSize: 1000 },
        )
        .toArray();
      const fresh = requests.filter(({ _id }) => !seen.has(_id.toHexString()));
      if (fresh.length > 0) {
        const found = await subscriptionsOf([...new Set(fresh.map(({ user_id }) => user_id.toHexString()))]);
        const connected = await connectedOf(found.map(({ subscription }) => subscription.user_id.toHexString()));
        const away = found.filter(({ subscription: { session_id } }) => !connected.has(session_id.toHexString()));
        const knocks = fresh.flatMap(({ user_id, contact_id }) =>
          away
            .filter(({ subscription }) => subscription.user_id.equals(user_id))
            .map((one): Knock => ({ ...one, kind: 'request', subject: contact_id.toHexString(), dueAt: now })),
        );
        await jobs.knock(knocks);
        onStored();
      }
      seen = new Set(requests.map(({ _id }) => _id.toHexString()));
      from = now.getTime() - MARGIN_MS;
    },
  };
}
