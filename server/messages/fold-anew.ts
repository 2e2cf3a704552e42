import type { Jobs } from '../cluster/jobs.ts';
import { handlePass } from '../cluster/pass.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { KINDS } from '../model/conversation-ref.ts';
import { termsOf } from './terms.ts';

export interface FoldAnewOptions {
  store: Pick<MessageStore, 'of'>;
  jobs: Pick<Jobs, 'handle' | 'add'>;
  clock(): Date;
}

/** Takes part in folding stored messages anew (docs/data.md, "Search"). */
export function foldMessagesAnew({ store, jobs, clock }: FoldAnewOptions): void {
  for (const kind of KINDS) {
    handlePass({
      jobs,
      clock,
      collection: store.of(kind),
      name: kind === 'direct' ? 'messages' : 'group_messages',
      filter: { is_deleted: false },
      projection: { content: 1, terms: 1 },
      update({ _id, content, terms: stored = [] }) {
        const terms = termsOf(content);
        if (terms.length === stored.length && terms.every((term, i) => term === stored[i])) return undefined;
        // An edit or deletion in between has made its own terms.
        return { filter: { _id, content, is_deleted: false }, update: { $set: { terms } } };
      },
    });
  }
}
