/** Which marks of others each user connected here was told. */
import type { EventPayload } from '../../shared/contract/index.ts';
import { createLru } from '../lib/lru.ts';

type Status = EventPayload<'message:status'>;

/** For how many pairs of a viewer and another user's place in a conversation the marks are remembered. */
const REMEMBERED = 50_000;

/**
 * Marks only grow (PROTOCOL section 4), but what two nodes tell of two devices of one user may arrive in another order
 * than it was stored in, so that a later event has a lower mark. Marks are therefore merged by their maximum, which is
 * the same in any order (a grow-only counter, a CRDT).
 * @returns what to tell a viewer: the event with no mark lower than before; undefined where it is no news
 */
export function createMarks(): (viewerId: string, status: Status) => Status | undefined {
  const told = createLru<{ delivered: number; read: number }>('marks told', REMEMBERED);
  return (viewerId, status) => {
    const key = `${viewerId} ${status.conversation_id} ${status.user_id}`;
    const before = told.get(key);
    const delivered = Math.max(status.delivered_seq, before?.delivered ?? 0);
    const read = Math.max(status.read_seq, before?.read ?? 0);
    if (before && before.delivered === delivered && before.read === read) return undefined;
    told.set(key, { delivered, read });
    return { ...status, delivered_seq: delivered, read_seq: read };
  };
}
