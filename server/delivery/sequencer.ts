/**
 * Delivers each conversation's changes in the order of `rev`, without gaps (PROTOCOL section 4), whatever order they
 * arrive in. A change from the future waits for the missing ones, which are read from the database after a moment; an
 * old one is dropped. A change that was superseded meanwhile (its message carries a higher `rev` by now) counts as
 * delivered with its successor; a message whose `seq` was not delivered yet goes out as new, whatever brought it.
 *
 * A conversation's place has three phases: it is being found (`finding`), it is up to date as far as is known, or what
 * is stored above it is being read (`reading`). Changes that arrive meanwhile wait.
 */
import { LRUCache } from 'lru-cache';
import type { Baseline, BaselineQuery } from './baseline.ts';
import { type Change, lastSeqBefore } from '../bus/operations.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';

/** How long a gap may close by itself before the database is asked, in milliseconds. */
const GAP_PATIENCE_MS = 50;
/** How many changes are read at a time. */
const READ_LIMIT = 500;
/** How long to wait after the database failed to answer, in milliseconds. */
const RETRY_MS = 1000;
/** How many conversations' places are remembered; the others are found again. */
const REMEMBERED = 100_000;

interface Place {
  conversation: ConversationRef;
  /** The last change that was delivered. */
  rev: number;
  /** The highest `seq` that was delivered, and those below it that were not: superseded, they come with a later rev. */
  lastSeq: number;
  owed: Set<number>;
  waiting: Map<number, Change>;
  busy: 'finding' | 'reading' | undefined;
  /** The database is to be asked once more when it has answered. */
  again: boolean;
  timer: NodeJS.Timeout | undefined;
  /** When something was delivered last, in milliseconds. */
  touchedAt: number;
}

export interface SequencerSources {
  /** The changes above `rev` that are stored, ascending by `rev`, at most `limit`. */
  readChanges(conversation: ConversationRef, aboveRev: number, limit: number): Promise<Change[]>;
  /** Puts one change onto this node's sockets. */
  emit(conversation: ConversationRef, change: Change): void;
  /** Where delivery begins in a conversation of which this node has delivered nothing yet. */
  findBaseline(conversation: ConversationRef, query: BaselineQuery): Promise<Baseline>;
  /** Since when, in milliseconds, this node has had connections in the conversation without a break, if it has any. */
  coveredSince(conversation: ConversationRef): number | undefined;
  /**
   * Whether every change that is stored comes through here, as on a single node: then the first one that is seen of a
   * conversation is the next.
   */
  seesEverything: boolean;
  onError(error: unknown): void;
}

export interface Sequencer {
  accept(conversation: ConversationRef, changes: Change[]): void;
  /**
   * Reads and delivers whatever is stored above the place of a conversation.
   * @param storedRev what is known to be stored: nothing is read if it was delivered
   * @param marginMs in a conversation without a place, what was stored so long before the connections came counts, too
   */
  heal(conversation: ConversationRef, storedRev?: number, marginMs?: number): void;
  /** How far a conversation has been delivered; undefined where nothing of it has. */
  delivered(conversation: ConversationRef): { rev: number; lastSeq: number } | undefined;
  close(): void;
}

/** @param sources where changes are read from and go to */
export function createSequencer(sources: SequencerSources): Sequencer {
  let closed = false;
  /** What was delivered before this moment may be forgotten. */
  let forgottenUntil = 0;
  const places = new LRUCache<string, Place>({
    max: REMEMBERED,
    dispose(place, _id, reason) {
      clearTimeout(place.timer);
      if (reason === 'evict') forgottenUntil = Math.max(forgottenUntil, place.touchedAt);
    },
  });

  /** The place of a conversation if it is still good: nothing passed by while nobody of it was connected here. */
  function currentPlace(conversation: ConversationRef): Place | undefined {
    const place = places.get(conversation.id);
    if (!place || sources.seesEverything || place.busy) return place;
    const since = sources.coveredSince(conversation);
    return since !== undefined && place.touchedAt > since ? place : undefined;
  }

  function newPlace(conversation: ConversationRef, rev: number, lastSeq: number): Place {
    // Of a place that is no longer good, what it delivered still counts.
    const old = places.get(conversation.id);
    const place: Place = {
      conversation,
      rev: Math.max(rev, old?.rev ?? 0),
      lastSeq: Math.max(lastSeq, old?.lastSeq ?? 0),
      owed: old?.owed ?? new Set(),
      waiting: new Map(),
      busy: undefined,
      again: false,
      timer: undefined,
      touchedAt: Date.now(),
    };
    places.set(conversation.id, place);
    return place;
  }

  /** Finds out where delivery begins; what arrives meanwhile waits. */
  async function find(place: Place, first: Change | undefined, marginMs: number): Promise<void> {
    place.busy = 'finding';
    const covered = sources.coveredSince(place.conversation) ?? Date.now();
    const query = { since: Math.max(covered - marginMs, forgottenUntil), first };
    for (;;) {
      try {
        const baseline = await sources.findBaseline(place.conversation, query);
        if (baseline.rev > place.rev) {
          Object.assign(place, { rev: baseline.rev, lastSeq: Math.max(baseline.lastSeq, place.lastSeq) });
          place.owed.clear();
        }
        break;
      } catch (error) {
        sources.onError(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
        if (closed) return;
      }
    }
    place.busy = undefined;
    place.touchedAt = Date.now();
    if (place.again) void read(place);
    else advance(place);
  }

  function deliver(place: Place, change: Change): void {
    const { seq } = change.message;
    const isNew = seq > place.lastSeq || place.owed.delete(seq);
    place.rev = change.rev;
    place.touchedAt = Date.now();
    if (seq > place.lastSeq) {
      for (let skipped = place.lastSeq + 1; skipped < seq; skipped++) place.owed.add(skipped);
      place.lastSeq = seq;
    }
    sources.emit(place.conversation, isNew === change.is_new ? change : { ...change, is_new: isNew });
  }

  /** Delivers what is next in order, and sees to the gap before what is left. */
  function advance(place: Place): void {
    if (place.busy) return;
    for (let next = place.waiting.get(place.rev + 1); next; next = place.waiting.get(place.rev + 1)) {
      place.waiting.delete(next.rev);
      deliver(place, next);
    }
    for (const rev of place.waiting.keys()) if (rev <= place.rev) place.waiting.delete(rev);
    if (place.waiting.size > 0) readLater(place, GAP_PATIENCE_MS);
  }

  function readLater(place: Place, delayMs: number): void {
    if (place.timer || closed) return;
    place.timer = setTimeout(() => {
      place.timer = undefined;
      if (place.waiting.size > 0 || place.again) void read(place);
    }, delayMs);
    place.timer.unref();
  }

  async function read(place: Place): Promise<void> {
    if (place.busy) {
      place.again = true;
      return;
    }
    place.busy = 'reading';
    let failed = false;
    try {
      for (let count = READ_LIMIT; count === READ_LIMIT || place.again; ) {
        place.again = false;
        const found = await sources.readChanges(place.conversation, place.rev, READ_LIMIT);
        count = found.length;
        // The copy that waits knows which socket acted.
        for (const change of found) deliver(place, place.waiting.get(change.rev) ?? change);
      }
    } catch (error) {
      failed = true;
      sources.onError(error);
    }
    place.busy = undefined;
    if (failed) {
      place.again = true;
      readLater(place, RETRY_MS);
    }
    advance(place);
  }

  return {
    accept(conversation, changes) {
      const [first] = changes;
      if (!first) return;
      if (!sources.seesEverything && sources.coveredSince(conversation) === undefined) return;
      let place = currentPlace(conversation);
      if (!place) {
        place = newPlace(conversation, 0, 0);
        if (sources.seesEverything) {
          place.rev = first.rev - 1;
          place.lastSeq = lastSeqBefore(first);
        } else {
          void find(place, first, 0);
        }
      }
      for (const change of changes) {
        if (place.busy || change.rev !== place.rev + 1) place.waiting.set(change.rev, change);
        else deliver(place, change);
      }
      if (place.waiting.size > 0) advance(place);
    },
    heal(conversation, storedRev = Number.MAX_SAFE_INTEGER, marginMs = 0) {
      if (sources.coveredSince(conversation) === undefined) return;
      const place = currentPlace(conversation);
      if (!place) {
        const found = newPlace(conversation, 0, 0);
        found.again = true;
        void find(found, undefined, marginMs);
      } else if (place.busy || place.rev < storedRev) {
        void read(place);
      }
    },
    delivered: currentPlace,
    close() {
      closed = true;
      places.clear();
    },
  };
}
