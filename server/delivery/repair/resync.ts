/**
 * Brings this node's connections up to date after something may not have been told: Redis was away, or a node died
 * between storing and telling. The database is asked what changed since; the sequencer knows what of that is missing.
 */
import type { Visibility } from '../../conversations/visibility.ts';
import type { Collections } from '../../model/collections.ts';
import type { ConversationRef } from '../../model/conversation-ref.ts';
import type { Delivery } from '../delivery.ts';
import type { Sequencer } from '../sequencer.ts';
import { createGroupRooms } from './group-rooms.ts';

/** A change is stored a little later than its time says, by less than this, in milliseconds. */
const MARGIN_MS = 5000;
/** What was stored this long before a connection came may have been stored after its `sync`, in milliseconds. */
const BASELINE_MARGIN_MS = 1000;
/** How often the database is asked while Redis is away, in milliseconds. */
const INTERVAL_MS = 2000;
/** How long requests are gathered, in milliseconds. */
const GATHER_MS = 10;
/** Documents in one answer of the database. */
const BATCH = 2000;

export interface Resync {
  /** Compares with the database what changed after a moment, in milliseconds. Requests at the same time are joined. */
  request(since: number): void;
  close(): void;
}

export interface ResyncOptions {
  collections: Pick<Collections, 'conversations' | 'groups' | 'memberships'>;
  delivery: Pick<Delivery, 'apply' | 'members'>;
  sequencer: Pick<Sequencer, 'heal'>;
  refFromId(conversationId: string): ConversationRef;
  visibility: Visibility;
  clock(): Date;
  /** Whether this node hears nothing of the others: then it asks the database every other second. */
  isAlone(): boolean;
  onError(error: unknown): void;
}

export function createResync(options: ResyncOptions): Resync {
  const { collections, delivery, sequencer, refFromId, visibility, clock, onError } = options;
  const compareGroups = createGroupRooms({ collections, delivery, visibility });
  /** The moment from which to compare next; undefined when nobody asks. */
  let wanted: number | undefined;
  let running = false;
  let closed = false;
  let wasAlone = false;
  let askedAt = clock().getTime();

  const want = (since: number) => {
    wanted = Math.min(since, wanted ?? since);
  };

  async function compareConversations(since: Date): Promise<void> {
    const changed = collections.conversations.find(
      { changed_at: { $gt: since } },
      { projection: { rev: 1 }, batchSize: BATCH },
    );
    for await (const { _id, rev } of changed) sequencer.heal(refFromId(_id), rev, BASELINE_MARGIN_MS);
  }

  async function run(): Promise<void> {
    if (running) return;
    running = true;
    while (wanted !== undefined && !closed) {
      const since = wanted;
      wanted = undefined;
      const asking = clock().getTime();
      try {
        const from = new Date(since - MARGIN_MS);
        await compareGroups(from);
        await compareConversations(from);
        askedAt = asking;
      } catch (error) {
        onError(error);
        want(since);
        break;
      }
    }
    running = false;
  }

  const ticking = setInterval(() => {
    const alone = options.isAlone();
    // Once more when Redis is back, for what was being stored in that moment.
    if (alone || wasAlone) want(askedAt);
    wasAlone = alone;
    void run();
  }, INTERVAL_MS);
  ticking.unref();

  return {
    request(since) {
      want(since);
      setTimeout(() => void run(), GATHER_MS).unref();
    },
    close() {
      closed = true;
      clearInterval(ticking);
    },
  };
}
