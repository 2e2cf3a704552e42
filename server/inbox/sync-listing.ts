/** Which conversations one answer of `sync` lists: as many as it has room for. */
import { bytesOfConversation, ENVELOPE, MAX_ANSWER_BYTES } from './answer-size.ts';
import type { Outline } from './outline.ts';
import type { CheckedPlace } from './place.ts';
import { firstOf, type Visit } from './sync-walk.ts';

/** A conversation on the list, and how the walk came to it. */
export interface Listed {
  visit: Visit;
  place: CheckedPlace;
}

export interface Listing {
  /** In the order of the walk. */
  listed: Listed[];
  /** The first complete conversation for which there was no room, if any: the walk went on. */
  passedOver: Visit | undefined;
  /** The first conversation that the client lacks and for which there was no room, if any: the walk ended. */
  stopped: Visit | undefined;
}

/** Conversations, and bytes that they take. The first conversation always has room. */
interface Room {
  conversations: number;
  bytes: number;
}

export interface ListingRules {
  isWanted(visit: Visit): boolean;
  /** Whether the client has not got all of it. */
  isLacking(outline: Outline): boolean;
  /** For what the client lacks. */
  room: Room;
  /** For what is complete: less, so that there is always some for what is not. */
  roomForComplete: Room;
}

/**
 * The first answer lists all conversations that it has room for. A client that repeats without its cursor gets again
 * those that are complete by now, and behind them what it still lacks, so it comes to an end too.
 */
export const FIRST_ANSWER = {
  room: { conversations: 1000, bytes: MAX_ANSWER_BYTES },
  roomForComplete: { conversations: 900, bytes: MAX_ANSWER_BYTES * 0.75 },
};

/** By the contract. */
const MOST_WITH_CURSOR: Room = { conversations: 100, bytes: MAX_ANSWER_BYTES };
export const NEXT_ANSWER = { room: MOST_WITH_CURSOR, roomForComplete: MOST_WITH_CURSOR };

/** Conversations in the first look-up. The second, if any, is for all those behind them for which there may be room. */
const FIRST_LOOK_UP = 250;

/** @param lookUp reads the places with these outlines; what is not there any more is left out */
export async function listConversations(
  visits: AsyncIterable<Visit>,
  lookUp: (outlines: Outline[]) => Promise<CheckedPlace[]>,
  { isWanted, isLacking, room, roomForComplete }: ListingRules,
): Promise<Listing> {
  const listing: Listing = { listed: [], passedOver: undefined, stopped: undefined };
  const { listed } = listing;
  const chosen = new Set<string>();
  let bytes = 0;
  let chunk: Visit[] = [];

  /** Whether there is room behind so many conversations of this size. */
  function hasRoom({ outline }: Visit, count: number, size: number): boolean {
    const { conversations, bytes: most } = isLacking(outline) ? room : roomForComplete;
    return count === 0 || (count < conversations && size < most);
  }

  function refuse(visit: Visit): void {
    const reason = isLacking(visit.outline) ? 'stopped' : 'passedOver';
    listing[reason] = firstOf(listing[reason], visit);
  }

  /** Lists what was chosen, as far as there is room. */
  async function take(): Promise<void> {
    const found = new Map((await lookUp(chunk.map(({ outline }) => outline))).map((place) => [place.id, place]));
    let isFull = false;
    for (const visit of chunk) {
      const place = found.get(visit.outline.id);
      if (!place || isFull) continue;
      if (hasRoom(visit, listed.length, bytes)) {
        listed.push({ visit, place });
        bytes += bytesOfConversation(place);
      } else {
        refuse(visit);
        isFull = isLacking(visit.outline);
      }
    }
    chunk = [];
  }

  for await (const visit of visits) {
    if (chosen.has(visit.outline.id) || !isWanted(visit)) continue;
    if (listed.length === 0 && chunk.length === FIRST_LOOK_UP) await take();
    // Those that are chosen and not looked up yet are counted as small as they can be.
    if (!listing.stopped && hasRoom(visit, listed.length + chunk.length, bytes + chunk.length * ENVELOPE)) {
      chosen.add(visit.outline.id);
      chunk.push(visit);
    } else refuse(visit);
    if (listing.stopped) break;
  }
  await take();
  return listing;
}
