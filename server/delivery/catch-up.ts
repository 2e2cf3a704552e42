/**
 * Lets someone into a group's room without a gap. Where their messages begin was read before the group let them in;
 * what this node delivered to the others since then, they are told first (backfill), again and again until nothing was
 * delivered meanwhile, and in that same moment they enter the room (cutover) and hear what the others hear.
 */
import type { Change } from '../bus/operations.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';

/** How long to wait after the database failed to answer, in milliseconds. */
const RETRY_MS = 1000;

export interface CatchUpSources {
  /** How far this node has delivered a conversation; undefined if it has delivered nothing of it. */
  delivered(conversation: ConversationRef): { rev: number; lastSeq: number } | undefined;
  /** The messages above a `seq` as they are stored, ascending by `rev`. */
  readAbove(conversation: ConversationRef, seq: number): Promise<Change[]>;
  /** Tells one user's devices. */
  emit(userId: string, change: Change): void;
  onError(error: unknown): void;
}

export interface CatchUp {
  /** Calls `enter` once the user was told what lies above `fromSeq`: at once where that is nothing. */
  start(userId: string, groupId: string, fromSeq: number, enter: () => void): void;
  /** The user is to enter no more. */
  stop(userId: string, groupId: string): void;
}

export function createCatchUp({ delivered, readAbove, emit, onError }: CatchUpSources): CatchUp {
  const underWay = new Map<string, object>();
  const keyOf = (userId: string, groupId: string) => `${userId} ${groupId}`;

  async function run(userId: string, groupId: string, fromSeq: number, enter: () => void): Promise<void> {
    const conversation: ConversationRef = { id: groupId, kind: 'group', group_id: groupId };
    const key = keyOf(userId, groupId);
    const turn = {};
    underWay.set(key, turn);
    const told = new Set<number>();
    for (let toldRev = 0; underWay.get(key) === turn; ) {
      const place = delivered(conversation);
      if (!place || place.lastSeq <= fromSeq || place.rev <= toldRev) {
        underWay.delete(key);
        enter();
        return;
      }
      try {
        const changes = await readAbove(conversation, fromSeq);
        if (underWay.get(key) !== turn) return;
        for (const change of changes) {
          const { seq, rev } = change.message;
          // Above lies what is still to be delivered to everybody.
          if (seq > place.lastSeq || rev <= toldRev) continue;
          emit(userId, { ...change, is_new: !told.has(seq) });
          told.add(seq);
        }
        toldRev = place.rev;
      } catch (error) {
        onError(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
      }
    }
  }

  return {
    start: (userId, groupId, fromSeq, enter) => void run(userId, groupId, fromSeq, enter),
    stop: (userId, groupId) => void underWay.delete(keyOf(userId, groupId)),
  };
}
