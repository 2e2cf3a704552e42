/** How far each conversation was delivered on this node. */

import { createLru } from '../lib/lru.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { Order } from './order.ts';

/** For how many conversations the progress is remembered; that of others is found anew. */
const REMEMBERED = 100_000;

export interface Progress extends Order {
  conversation: ConversationRef;
  phase: 'beginning' | 'backfill' | 'streaming';
  /** The database is to be read (once more) as soon as the phase allows. */
  readAgain: boolean;
  timer: NodeJS.Timeout | undefined;
  /** Since when changes wait for those before them, by `performance.now()`; undefined while none does. */
  waitsSince: number | undefined;
  /** When something was delivered last, in milliseconds. */
  touchedAt: number;
}

export interface ProgressMemory {
  /** The progress of a conversation if it still holds: nothing passed by while nobody of it was connected here. */
  find(conversation: ConversationRef): Progress | undefined;
  /** Begins anew. What was delivered before still counts, and is never delivered again. */
  renew(conversation: ConversationRef): Progress;
  /** What was delivered before this moment, in milliseconds, may have been forgotten. */
  forgottenUntil(): number;
  clear(): void;
}

export interface ProgressMemoryOptions {
  clock(): Date;
  /** Since when, in milliseconds, this node has had connections in the conversation without a break, if it has any. */
  coveredSince(conversation: ConversationRef): number | undefined;
  /**
   * Whether every change that is stored comes through here, as on a single node. Then the first one that is seen of a
   * conversation is the next.
   */
  seesEverything: boolean;
}

export function createProgressMemory({ coveredSince, seesEverything, clock }: ProgressMemoryOptions): ProgressMemory {
  let forgottenUntil = 0;
  const known = createLru<Progress>('delivered conversations', REMEMBERED, {
    dispose(progress, _id, reason) {
      clearTimeout(progress.timer);
      if (reason === 'evict') forgottenUntil = Math.max(forgottenUntil, progress.touchedAt);
    },
  });

  return {
    find(conversation) {
      const progress = known.get(conversation.id);
      if (!progress || seesEverything || progress.phase !== 'streaming') return progress;
      const since = coveredSince(conversation);
      return since !== undefined && progress.touchedAt > since ? progress : undefined;
    },
    renew(conversation) {
      const old = known.get(conversation.id);
      const progress: Progress = {
        conversation,
        rev: old?.rev ?? 0,
        lastSeq: old?.lastSeq ?? 0,
        owed: old?.owed ?? new Set(),
        waiting: new Map(),
        phase: 'streaming',
        readAgain: false,
        timer: undefined,
        waitsSince: undefined,
        touchedAt: clock().getTime(),
      };
      known.set(conversation.id, progress);
      return progress;
    },
    forgottenUntil: () => forgottenUntil,
    clear: () => known.clear(),
  };
}
