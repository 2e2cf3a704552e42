/**
 * Brings this node's connections up to date after something may not have been told: Redis was away, or a node died
 * between storing and telling. What changed since is asked of the database; the sequencer knows what of it is missing.
 */
import type { Collections } from '../../model/collections.ts';
import { fromId } from '../../model/codec.ts';
import type { Delivery } from '../delivery.ts';
import type { Sequencer } from '../sequencer.ts';
import type { ConversationRef } from '../../model/conversation-ref.ts';
import type { Visibility } from '../../conversations/visibility.ts';

/** A change is stored a little later than the time that it carries, in milliseconds: more than clocks differ, too. */
const MARGIN_MS = 5000;
/** What was stored so long before a connection came may have been stored after its `sync`, in milliseconds. */
const BASELINE_MARGIN_MS = 1000;
/** How often the database is asked while Redis is away, in milliseconds. */
const INTERVAL_MS = 2000;
/** Documents in one answer of the database. */
const BATCH = 2000;

export interface Resync {
  /** Compares with the database what changed after a moment, in milliseconds. Requests at the same time are joined. */
  request(since: number): void;
  close(): void;
}

export interface ResyncOptions {
  collections: Collections;
  delivery: Delivery;
  sequencer: Sequencer;
  refFromId(conversationId: string): ConversationRef;
  visibility: Visibility;
  /** Whether this node hears nothing of the others: then it asks the database every other second. */
  isAlone(): boolean;
  onError(error: unknown): void;
}

export function createResync(options: ResyncOptions): Resync {
  const { collections, delivery, sequencer, refFromId, visibility, onError } = options;
  const { conversations, groups, memberships } = collections;
  /** From when on is to be compared next; undefined when nothing is asked for. */
  let wanted: number | undefined;
  let running = false;
  let closed = false;
  let wasAlone = false;
  let askedAt = Date.now();

  async function compareConversations(since: Date): Promise<void> {
    const changed = conversations.find({ changed_at: { $gt: since } }, { projection: { rev: 1 }, batchSize: BATCH });
    for await (const { _id, rev } of changed) sequencer.heal(refFromId(_id), rev, BASELINE_MARGIN_MS);
  }

  /** Who is in which group, where that changed: whoever was let in or put out without this node being told. */
  async function compareGroups(since: Date): Promise<void> {
    const users = delivery.members();
    const changed = groups.find(
      { updated_at: { $gt: since } },
      { projection: { members: 1, is_active: 1 }, batchSize: BATCH },
    );
    for await (const { _id, members, is_active } of changed) {
      const groupId = _id.toHexString();
      const inside = new Set(is_active ? members.map((member) => member.toHexString()) : []);
      const missing: string[] = [];
      for (const [userId, joined] of users) {
        if (joined.has(groupId) && !inside.has(userId)) leave(userId, groupId);
        if (!joined.has(groupId) && inside.has(userId)) missing.push(userId);
      }
      if (missing.length > 0) await enter(missing, groupId);
    }
  }

  const leave = (user_id: string, group_id: string) =>
    delivery.apply({ kind: 'membership', user_id, group_id, from_seq: null });

  async function enter(userIds: string[], group_id: string): Promise<void> {
    const places = await memberships
      .find(
        { user_id: { $in: userIds.map(fromId) }, conversation_id: group_id },
        { projection: { user_id: 1, from_seq: 1 } },
      )
      .toArray();
    for (const membership of places) {
      const user_id = membership.user_id.toHexString();
      delivery.apply({ kind: 'membership', user_id, group_id, from_seq: visibility.fromSeq(membership) });
    }
  }

  async function run(): Promise<void> {
    if (running) return;
    running = true;
    while (wanted !== undefined && !closed) {
      const since = wanted;
      wanted = undefined;
      const asking = Date.now();
      try {
        await compareGroups(new Date(since - MARGIN_MS));
        await compareConversations(new Date(since - MARGIN_MS));
        askedAt = asking;
      } catch (error) {
        onError(error);
        wanted = Math.min(since, wanted ?? since);
        break;
      }
    }
    running = false;
  }

  const ticking = setInterval(() => {
    const alone = options.isAlone();
    // Once more when Redis is back: what was being stored in that moment.
    if (alone || wasAlone) wanted = Math.min(askedAt, wanted ?? askedAt);
    wasAlone = alone;
    void run();
  }, INTERVAL_MS);
  ticking.unref();

  return {
    request(since) {
      wanted = Math.min(since, wanted ?? since);
      // What comes together is asked together.
      setTimeout(() => void run(), 10).unref();
    },
    close() {
      closed = true;
      clearInterval(ticking);
    },
  };
}
