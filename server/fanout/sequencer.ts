/**
 * Delivers each conversation's changes in the order of `rev`, without gaps (PROTOCOL section 4), whatever order they
 * arrive in. A change from the future waits for the missing ones, which are read from the database after a moment; an
 * old one is dropped. A change that was superseded meanwhile (its message carries a higher `rev` by now) counts as
 * delivered with its successor; a message whose `seq` was not delivered yet goes out as new, whatever brought it.
 */
import { LRUCache } from 'lru-cache';
import type { Change, ConversationRef } from './operations.ts';

/** How long a gap may close by itself before the database is asked, in milliseconds. */
const GAP_PATIENCE_MS = 50;
/** How many changes are read at a time. */
const READ_LIMIT = 500;
/** How long to wait after the database failed to answer, in milliseconds. */
const RETRY_MS = 1000;
/** How many conversations' places are remembered; the others are found again by `baseline`. */
const REMEMBERED = 100_000;

interface Place {
  rev: number;
  lastSeq: number;
  waiting: Map<number, Change>;
  /** The place was not known when the first change came: it is being looked up. */
  settled: boolean;
  busy: boolean;
  timer: NodeJS.Timeout | undefined;
  conversation: ConversationRef;
}

export interface SequencerSources {
  /** The changes above `rev` that are stored, ascending by `rev`, at most `limit`. */
  readChanges(conversation: ConversationRef, aboveRev: number, limit: number): Promise<Change[]>;
  /** Puts one change onto this node's sockets. */
  emit(conversation: ConversationRef, change: Change): void;
  /**
   * Where delivery begins in a conversation of which this node has delivered nothing yet. A single node saw
   * everything that was stored: the place just below the change.
   */
  baseline?(conversation: ConversationRef, first: Change): Promise<{ rev: number; lastSeq: number }>;
  onError(error: unknown): void;
}

export interface Sequencer {
  accept(conversation: ConversationRef, changes: Change[]): void;
  /** Reads and delivers whatever is stored above the place of a conversation, if this node has one. */
  heal(conversation: ConversationRef): void;
  /** The conversations with a place, for a comparison with the database. */
  places(): { conversation: ConversationRef; rev: number }[];
  close(): void;
}

/** @param sources where changes are read from and go to */
export function createSequencer(sources: SequencerSources): Sequencer {
  const places = new LRUCache<string, Place>({
    max: REMEMBERED,
    dispose: (place) => clearTimeout(place.timer),
  });

  function placeOf(conversation: ConversationRef, first: Change): Place {
    const known = places.get(conversation.id);
    if (known) return known;
    const place: Place = {
      rev: first.rev - 1,
      lastSeq: first.is_new ? first.last_seq - 1 : first.last_seq,
      waiting: new Map(),
      settled: sources.baseline === undefined,
      busy: false,
      timer: undefined,
      conversation,
    };
    places.set(conversation.id, place);
    if (sources.baseline) void settle(place, first, sources.baseline);
    return place;
  }

  async function settle(place: Place, first: Change, baseline: NonNullable<SequencerSources['baseline']>) {
    try {
      const { rev, lastSeq } = await baseline(place.conversation, first);
      place.rev = rev;
      place.lastSeq = lastSeq;
    } catch (error) {
      sources.onError(error);
    }
    place.settled = true;
    drain(place);
  }

  function deliver(place: Place, change: Change): void {
    const isNew = change.message.seq > place.lastSeq;
    place.rev = change.rev;
    if (isNew) place.lastSeq = change.message.seq;
    sources.emit(place.conversation, isNew === change.is_new ? change : { ...change, is_new: isNew });
  }

  /** Delivers what is next in order, and sees to the gap before what is left. */
  function drain(place: Place): void {
    if (!place.settled) return;
    for (let next = place.waiting.get(place.rev + 1); next; next = place.waiting.get(place.rev + 1)) {
      place.waiting.delete(next.rev);
      deliver(place, next);
    }
    for (const rev of place.waiting.keys()) if (rev <= place.rev) place.waiting.delete(rev);
    if (place.waiting.size > 0) readLater(place, GAP_PATIENCE_MS);
  }

  function readLater(place: Place, delayMs: number): void {
    if (place.timer || place.busy) return;
    place.timer = setTimeout(() => {
      place.timer = undefined;
      if (place.waiting.size > 0 || delayMs === RETRY_MS) void read(place);
    }, delayMs);
    place.timer.unref();
  }

  async function read(place: Place): Promise<void> {
    if (place.busy) return;
    place.busy = true;
    let failed = false;
    try {
      for (;;) {
        const found = await sources.readChanges(place.conversation, place.rev, READ_LIMIT);
        for (const change of found) {
          // The copy that waits knows which socket acted.
          if (change.rev > place.rev) deliver(place, place.waiting.get(change.rev) ?? change);
        }
        if (found.length < READ_LIMIT) break;
      }
    } catch (error) {
      failed = true;
      sources.onError(error);
    }
    place.busy = false;
    if (failed) readLater(place, RETRY_MS);
    drain(place);
  }

  return {
    accept(conversation, changes) {
      for (const change of changes) {
        const place = placeOf(conversation, change);
        if (place.settled && change.rev <= place.rev) continue;
        if (place.settled && !place.busy && change.rev === place.rev + 1) deliver(place, change);
        else place.waiting.set(change.rev, change);
        if (place.waiting.size > 0) drain(place);
      }
    },
    heal(conversation) {
      const place = places.get(conversation.id);
      if (place) void read(place);
    },
    places: () => [...places.values()].map(({ conversation, rev }) => ({ conversation, rev })),
    close: () => places.clear(),
  };
}
