/**
 * The order in which `sync` goes through a user's conversations: newest activity first, so that a position says how far
 * it came. What moves up meanwhile moves past that position, so at the end the walk comes once more to the conversations
 * that were active since it began.
 */
import { comparePositions, isAfter, type ListPosition } from './list-position.ts';
import type { Outline } from './outline.ts';

/** What is walked through, each list in the order of its positions. */
export interface Walked {
  groups: readonly Outline[];
  /** The first pairs behind the position at which the walk begins, and those active since the first of the walks began. */
  pairs: readonly Outline[];
  /** Reads all pairs behind a position, and those active since; left out where `pairs` has all. */
  readRest?: (after: ListPosition) => Promise<Outline[]>;
}

/** A step of the walk. */
export interface Visit {
  outline: Outline;
  /** A walk that goes on from here comes to this outline again; undefined at the beginning. */
  before: ListPosition | undefined;
  /** It was active since the walk began, and may have been visited before. */
  isRevisit: boolean;
}

/**
 * @param after where an earlier walk ended
 * @param startedAt when the first of the walks began
 */
export async function* walk(
  { groups, pairs, readRest }: Walked,
  after: ListPosition | undefined,
  startedAt: Date,
): AsyncGenerator<Visit, void> {
  let last = after;
  let newest = pairs;

  async function* pairsBehind(): AsyncGenerator<Outline, void> {
    const behind = pairs.filter((pair) => isAfter(pair, after));
    yield* behind;
    const end = behind.at(-1);
    if (!readRest || !end) return;
    newest = await readRest(end);
    yield* newest.filter((pair) => isAfter(pair, end));
  }

  const groupsBehind = groups.filter((group) => isAfter(group, after));
  for await (const outline of merged(groupsBehind, pairsBehind())) {
    yield { outline, before: last, isRevisit: false };
    last = { at: outline.at, id: outline.id };
  }
  const active = [...groups, ...newest].filter(({ at }) => at >= startedAt.getTime()).sort(comparePositions);
  for (const outline of active) yield { outline, before: last, isRevisit: true };
}

async function* merged(groups: readonly Outline[], pairs: AsyncIterable<Outline>): AsyncGenerator<Outline, void> {
  let next = 0;
  for await (const pair of pairs) {
    while (next < groups.length && comparePositions(groups[next]!, pair) < 0) yield groups[next++]!;
    yield pair;
  }
  yield* groups.slice(next);
}

/** The one that the walk came to first. */
export function firstOf(...visits: (Visit | undefined)[]): Visit | undefined {
  return visits.reduce((one, other) => {
    if (!one || !other) return one ?? other;
    if (one.isRevisit !== other.isRevisit) return one.isRevisit ? other : one;
    return comparePositions(one.outline, other.outline) <= 0 ? one : other;
  }, undefined);
}
