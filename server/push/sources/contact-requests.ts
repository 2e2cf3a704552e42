/** Contact requests become jobs for the sessions that were not told. */
import { groupBy } from '../../lib/group-by.ts';
import type { Collections } from '../../model/collections.ts';
import type { ContactDocument } from '../../model/documents/contacts.ts';
import type { Knock } from '../jobs/job-store.ts';
import type { SourceOptions } from './source.ts';

/** How far the first look of a node reaches back, in milliseconds: what is found again was told; its job says so. */
const FIRST_MS = 86_400_000;
/** Requests that are stored as jobs together. */
const BATCH = 1000;
/** How far each further look reaches back behind the last one: longer than a write takes. */
const MARGIN_MS = 10_000;

export interface ContactRequestsOptions extends SourceOptions {
  collections: Pick<Collections, 'contacts'>;
}

type Request = Pick<ContactDocument, '_id' | 'user_id' | 'contact_id' | 'created_at'>;

export interface ContactRequests {
  /** Looks once; to be called every second or so. */
  look(): Promise<void>;
  /** Another node has looked meanwhile: the next look reaches back far. */
  restart(): void;
}

export function createContactRequests(options: ContactRequestsOptions): ContactRequests {
  const { collections, clock } = options;
  let from: number | undefined;
  /** Requests that the last look found, as far as the next one may find them again. */
  let seen = new Set<string>();

  return {
    restart() {
      from = undefined;
      seen = new Set();
    },
    async look() {
      const now = clock();
      const since = new Date(from ?? now.getTime() - FIRST_MS);
      const next = now.getTime() - MARGIN_MS;
      const found = collections.contacts.find<Request>(
        { direction: 'in', status: 'pending', created_at: { $gte: since } },
        { projection: { user_id: 1, contact_id: 1, created_at: 1 }, hint: 'requests', batchSize: BATCH },
      );
      const again = new Set<string>();
      let fresh: Request[] = [];
      for await (const request of found) {
        const id = request._id.toHexString();
        if (request.created_at.getTime() >= next) again.add(id);
        if (!seen.has(id)) fresh.push(request);
        if (fresh.length < BATCH) continue;
        await toJobs(options, fresh, now);
        fresh = [];
      }
      await toJobs(options, fresh, now);
      seen = again;
      from = next;
    },
  };
}

async function toJobs(
  { jobs, subscriptionsOf, connectedOf, onStored }: ContactRequestsOptions,
  requests: readonly Request[],
  dueAt: Date,
): Promise<void> {
  if (requests.length === 0) return;
  const found = await subscriptionsOf([...new Set(requests.map(({ user_id }) => user_id.toHexString()))]);
  const connected = await connectedOf(found.map(({ subscription }) => subscription.user_id.toHexString()));
  const away = found.filter(({ subscription: { session_id } }) => !connected.has(session_id.toHexString()));
  const awayOf = groupBy(away, ({ subscription }) => subscription.user_id.toHexString());
  const knocks = requests.flatMap(({ user_id, contact_id }) =>
    (awayOf.get(user_id.toHexString()) ?? []).map(
      (one): Knock => ({ ...one, kind: 'request', subject: contact_id.toHexString(), dueAt }),
    ),
  );
  await jobs.knock(knocks);
  onStored();
}
