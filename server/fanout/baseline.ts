/**
 * Where delivery begins in a conversation of which a node has delivered nothing yet, although others may have written
 * to it. What was stored before the node's connections came, they have by `sync`; what was stored since, they must be
 * told in order, even where nobody told this node. Told twice is harmless, a gap is not.
 *
 * The times compared are those of the nodes that wrote, taken a little before a change was stored. So around the
 * moment in question lies a margin in which a change counts only if it is told all the same: the baseline is `isOpen`.
 */
import type { MessageStore } from '../messaging/message-store.ts';
import { type Change, type ConversationRef, lastSeqBefore } from './operations.ts';

/** How far a change's time may lie from the moment when it was stored, clocks of nodes included, in milliseconds. */
const MARGIN_MS = 2000;
/** How many changes are looked through. */
const LIMIT = 500;

export interface BaselineQuery {
  /** Since when the node has connections there, in milliseconds. */
  since: number;
  /** The change that came first, if one did: the baseline lies below. */
  first: Change | undefined;
}

export interface Baseline {
  /** Delivery begins above this `rev`. */
  rev: number;
  /** Messages above this `seq` are new to the connections. */
  lastSeq: number;
  /** Whether changes just below may still be told: those that are, count. */
  isOpen: boolean;
}

/**
 * @param store the stored messages
 * @returns finds baselines, by one read of one index entry where nothing happened since the connections came
 */
export function createBaselines(store: MessageStore) {
  return async function findBaseline(conversation: ConversationRef, query: BaselineQuery): Promise<Baseline> {
    const { since, first } = query;
    const collection = store.of(conversation.kind);
    const below = first ? { $lt: first.rev } : {};
    const [old] = await collection
      .find(
        {
          conversation_id: conversation.id,
          rev: { $gt: 0, ...below },
          updated_at: { $lt: new Date(since - MARGIN_MS) },
        },
        { projection: { _id: 0, rev: 1 } },
      )
      .sort({ rev: -1 })
      .limit(1)
      .toArray();
    const floor = old?.rev ?? 0;
    const recent =
      first && floor === first.rev - 1
        ? []
        : await collection
            .find(
              { conversation_id: conversation.id, rev: { $gt: floor, ...below } },
              { projection: { _id: 0, rev: 1, seq: 1, created_at: 1, updated_at: 1 } },
            )
            .sort({ rev: 1 })
            .limit(LIMIT)
            .toArray();
    const due = recent.find((message) => message.updated_at.getTime() >= since);
    const rev = due ? due.rev - 1 : first ? first.rev - 1 : (recent.at(-1)?.rev ?? floor);
    const unseen = recent.filter((message) => message.rev > rev && message.created_at.getTime() >= since);
    const bounds = unseen.map((message) => message.seq - 1);
    if (first) bounds.push(lastSeqBefore(first));
    const lastSeq = bounds.length > 0 ? Math.min(...bounds) : (await store.newest(conversation)).seq;
    return { rev, lastSeq, isOpen: !due && recent.length > 0 };
  };
}
