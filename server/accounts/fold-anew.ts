import type { Jobs } from '../cluster/jobs.ts';
import { handlePass } from '../cluster/pass.ts';
import { nameKey } from '../lib/name-key.ts';
import type { Collections } from '../model/collections.ts';

export interface FoldAnewOptions {
  collections: Pick<Collections, 'users'>;
  jobs: Pick<Jobs, 'handle' | 'add'>;
  clock(): Date;
}

/** Takes part in folding stored names anew (docs/data.md, "Search"). */
export function foldNamesAnew({ collections, jobs, clock }: FoldAnewOptions): void {
  handlePass({
    jobs,
    clock,
    collection: collections.users,
    name: 'users',
    filter: { full_name: { $ne: null } },
    projection: { full_name: 1, full_name_key: 1 },
    update({ _id, full_name, full_name_key: stored }) {
      const full_name_key = nameKey(full_name);
      if (full_name_key === stored) return undefined;
      return { filter: { _id, full_name }, update: { $set: { full_name_key } } };
    },
  });
}
