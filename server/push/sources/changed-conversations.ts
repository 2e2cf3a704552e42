/** Conversations that changed become jobs for the subscriptions of their users. What is to be pushed is read later. */
import type { Logger } from 'pino';
import type { Audience } from '../../conversations/audience.ts';
import type { ChangedConversation } from '../../conversations/change-looks.ts';
import type { Follower } from '../../conversations/changed-conversations.ts';
import { groupBy } from '../../lib/group-by.ts';
import { refFromId } from '../../model/conversation-ref.ts';
import type { Knock } from '../jobs/job-store.ts';
import type { SourceOptions } from './source.ts';

/** How long changes are gathered after the first ones went, in milliseconds: many in a row are pushed together. */
const GATHER_MS = 1000;
/** How long until it is tried again, in milliseconds. */
const RETRY_MS = 1000;
/** How long a connected session has to acknowledge a message, and to have that stored. In milliseconds. */
export const PATIENCE_MS = 10_500;

export interface ChangesToJobsOptions extends SourceOptions {
  audience: Pick<Audience, 'membersOfGroups'>;
  log: Logger;
}

export function createChangesToJobs(options: ChangesToJobsOptions): Follower & { close(): void } {
  const { log } = options;
  const gathered = new Map<string, number>();
  let underWay: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let lastAt = Number.NEGATIVE_INFINITY;
  let closed = false;

  function gather({ id, rev }: ChangedConversation): void {
    gathered.set(id, Math.max(rev, gathered.get(id) ?? 0));
  }

  /** Stores what is gathered. @throws what the store says; then it is gathered again */
  async function storeAll(): Promise<void> {
    const batch = [...gathered].map(([id, rev]) => ({ id, rev }));
    gathered.clear();
    lastAt = performance.now();
    try {
      await toJobs(options, batch);
    } catch (error) {
      batch.forEach(gather);
      throw error;
    }
  }

  function soon(ms: number): void {
    if (closed) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      void flush().catch((err: unknown) => {
        log.debug({ err }, 'changes could not be noted for push; trying again');
        soon(RETRY_MS);
      });
    }, ms);
    timer.unref();
  }

  function flush(): Promise<void> {
    underWay ??= storeAll().finally(() => {
      underWay = undefined;
      if (gathered.size > 0) soon(GATHER_MS);
    });
    return underWay;
  }

  return {
    changed(conversations) {
      conversations.forEach(gather);
      soon(Math.max(0, lastAt + GATHER_MS - performance.now()));
    },
    async noted() {
      await underWay;
      if (gathered.size > 0) await flush();
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

async function toJobs(options: ChangesToJobsOptions, batch: readonly ChangedConversation[]): Promise<void> {
  const { audience, jobs, subscriptionsOf, connectedOf, onStored, clock } = options;
  const refs = batch.map(({ id }) => refFromId(id));
  const members = await audience.membersOfGroups(refs.flatMap((ref) => (ref.kind === 'group' ? [ref.group_id] : [])));
  const usersOf = refs.map((ref) => (ref.kind === 'direct' ? ref.user_ids : (members.get(ref.id) ?? [])));
  const found = await subscriptionsOf([...new Set(usersOf.flat())]);
  if (found.length === 0) return;
  const byUser = groupBy(found, ({ subscription }) => subscription.user_id.toHexString());
  const connected = await connectedOf([...byUser.keys()]);
  const now = clock();
  const patient = new Date(now.getTime() + PATIENCE_MS);
  const knocks = batch.flatMap(({ id, rev }, i) =>
    usersOf[i]!.flatMap((userId) =>
      (byUser.get(userId) ?? []).map(({ subscription, lane }): Knock => {
        const dueAt = connected.has(subscription.session_id.toHexString()) ? patient : now;
        return { subscription, lane, kind: 'conversation', subject: id, rev, dueAt };
      }),
    ),
  );
  await jobs.knock(knocks);
  onStored();
}
