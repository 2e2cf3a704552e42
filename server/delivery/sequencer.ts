/**
 * Delivers each conversation's changes in order and without gaps, in whatever order they arrive; the rules of order are
 * in order.ts. A conversation goes through these phases:
 *
 * 1. beginning: this node finds out from where on it delivers.
 * 2. backfill: what is stored above that but never arrived is read and delivered. What arrives meanwhile waits, and
 *    follows at the cutover.
 * 3. streaming: changes go out as they arrive. A gap that does not close by itself leads back to 2.
 */
import { type Change, lastSeqBefore } from '../bus/operations.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import { type BackfillSources, createBackfill, noteWait } from './backfill.ts';
import { accept, wait } from './order.ts';
import { createProgressMemory, type Progress, type ProgressMemoryOptions } from './progress.ts';

export interface SequencerSources extends BackfillSources, ProgressMemoryOptions {
  /** Puts one change onto this node's sockets. */
  emit(conversation: ConversationRef, change: Change): void;
}

export interface Sequencer {
  accept(conversation: ConversationRef, changes: Change[]): void;
  /**
   * Delivers whatever is stored of a conversation and was not delivered.
   * @param storedRev the highest `rev` that is known to be stored: nothing is read if it was delivered
   * @param marginMs where nothing was delivered yet, what was stored this long before the connections came counts, too
   */
  heal(conversation: ConversationRef, storedRev?: number, marginMs?: number): void;
  /** How far a conversation was delivered at this moment; undefined where nothing of it was. */
  delivered(conversation: ConversationRef): Pick<Progress, 'rev' | 'lastSeq'> | undefined;
  close(): void;
}

/** @param sources where changes are read from and go to */
export function createSequencer(sources: SequencerSources): Sequencer {
  const { coveredSince, seesEverything, clock } = sources;
  const memory = createProgressMemory(sources);

  function emit(progress: Progress, change: Change): void {
    progress.touchedAt = clock().getTime();
    sources.emit(progress.conversation, change);
  }
  const backfill = createBackfill(sources, emit);

  function begin(progress: Progress, first: Change | undefined, marginMs: number): void {
    const covered = coveredSince(progress.conversation) ?? clock().getTime();
    void backfill.begin(progress, { since: Math.max(covered - marginMs, memory.forgottenUntil()), first });
  }

  return {
    accept(conversation, changes) {
      const [first] = changes;
      if (!first) return;
      if (!seesEverything && coveredSince(conversation) === undefined) return;
      let progress = memory.find(conversation);
      if (!progress) {
        progress = memory.renew(conversation);
        if (seesEverything) Object.assign(progress, { rev: first.rev - 1, lastSeq: lastSeqBefore(first) });
        else begin(progress, first, 0);
      }
      if (progress.phase !== 'streaming') {
        wait(progress, changes);
        noteWait(progress);
        return;
      }
      accept(progress, changes, emit);
      backfill.watchGap(progress);
    },
    heal(conversation, storedRev = Number.MAX_SAFE_INTEGER, marginMs = 0) {
      if (coveredSince(conversation) === undefined) return;
      const progress = memory.find(conversation);
      if (!progress) {
        const renewed = memory.renew(conversation);
        renewed.readAgain = true;
        begin(renewed, undefined, marginMs);
      } else if (progress.phase !== 'streaming' || progress.rev < storedRev) {
        void backfill.read(progress);
      }
    },
    delivered(conversation) {
      const progress = memory.find(conversation);
      return progress && { rev: progress.rev, lastSeq: progress.lastSeq };
    },
    close() {
      backfill.close();
      memory.clear();
    },
  };
}
