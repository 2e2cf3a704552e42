/**
 * Lets somebody into a group's room without a gap. From where on they see the group was decided before it let them in.
 * First they are told what this node has delivered to the others since then (backfill), again and again until nothing
 * was delivered meanwhile. In that same moment they enter the room (cutover), and hear what the others hear
 * (streaming).
 */
import type { Change } from '../bus/operations.ts';
import { type ConversationRef, groupRef } from '../model/conversation-ref.ts';
import type { Sequencer } from './sequencer.ts';

/** How long to wait after the database failed to answer, in milliseconds. */
const RETRY_MS = 1000;

export interface CatchUpOptions {
  sequencer: Pick<Sequencer, 'delivered'>;
  /** The messages of a conversation above a `seq` as they are stored, ascending by `rev`. */
  readAbove(conversation: ConversationRef, seq: number): Promise<Change[]>;
  /** Emits a change to one user's devices. */
  emit(userId: string, change: Change): void;
  onError(error: unknown): void;
}

export interface CatchUp {
  /** Calls `enter` once the user was told what lies above `fromSeq`: at once where that is nothing. */
  start(userId: string, groupId: string, fromSeq: number, enter: () => void): void;
  /** The user is not to enter any more. */
  stop(userId: string, groupId: string): void;
}

export function createCatchUp({ sequencer, readAbove, emit, onError }: CatchUpOptions): CatchUp {
  /** For each user and group, the run that is under way; an older run gives up. */
  const running = new Map<string, object>();
  const keyOf = (userId: string, groupId: string) => `${userId} ${groupId}`;

  async function run(userId: string, groupId: string, fromSeq: number, enter: () => void): Promise<void> {
    const conversation = groupRef(groupId);
    const key = keyOf(userId, groupId);
    const turn = {};
    running.set(key, turn);
    const told = new Set<number>();
    for (let toldRev = 0; running.get(key) === turn; ) {
      const delivered = sequencer.delivered(conversation);
      if (!delivered || delivered.lastSeq <= fromSeq || delivered.rev <= toldRev) {
        running.delete(key);
        enter();
        return;
      }
      try {
        const changes = await readAbove(conversation, fromSeq);
        if (running.get(key) !== turn) return;
        for (const change of changes) {
          const { seq, rev } = change.message;
          // What lies above is still to be delivered to everybody.
          if (seq > delivered.lastSeq || rev <= toldRev) continue;
          emit(userId, { ...change, is_new: !told.has(seq) });
          told.add(seq);
        }
        toldRev = delivered.rev;
      } catch (error) {
        onError(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
      }
    }
  }

  return {
    start: (userId, groupId, fromSeq, enter) => void run(userId, groupId, fromSeq, enter),
    stop: (userId, groupId) => void running.delete(keyOf(userId, groupId)),
  };
}
