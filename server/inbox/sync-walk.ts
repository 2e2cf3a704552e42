/**
 * The order in which `sync` goes through a user's conversations: newest activity first, so that a position says how far
 * it came. What moves up meanwhile moves past that position, so at the end the walk comes once more to the conversations
 * that were active since it began.
 */
import { comparePositions, isAfter, type ListPosition } from './list-position.ts';
import type { Outline } from './outline.ts';

/** What is walked through. */
export interface Walked {
  /** In the order of their positions. */
  groups: readonly Outline[];
  /** The first pairs behind a position, in order. */
  pairsAfter(after: ListPosition | undefined, limit: number): Promise<Outline[]>;
  /** The same among the pairs that were active since a time, as they are now. */
  activePairsAfter(after: ListPosition | undefined, limit: number, since: Date): Promise<Outline[]>;
}

/** A step of the walk. */
export interface Visit {
  outline: Outline;
  /** Who goes on from here comes to this outline again; undefined at the beginning. */
  before: ListPosition | undefined;
  /** It was active since the walk began, and may have been visited before. */
  isRevisit: boolean;
}

/** Pairs that are read at once. */
const PAGE = 500;

/**
 * @param after where an earlier walk ended
 * @param startedAt when the first of the walks began
 */
export async function* walk(
  { groups, pairsAfter, activePairsAfter }: Walked,
  after: ListPosition | undefined,
  startedAt: Date,
): AsyncGenerator<Visit, void> {
  let last = after;
  const rest = groups.filter((group) => isAfter(group, after));
  for await (const outline of merged(rest, pagesOf(pairsAfter, after))) {
    yield { outline, before: last, isRevisit: false };
    last = { at: outline.at, id: outline.id };
  }
  const active = groups.filter(({ at }) => at >= startedAt.getTime());
  const activePairs = pagesOf((from, limit) => activePairsAfter(from, limit, startedAt), undefined);
  for await (const outline of merged(active, activePairs)) {
    yield { outline, before: last, isRevisit: true };
  }
}

async function* pagesOf(read: Walked['pairsAfter'], after: ListPosition | undefined): AsyncGenerator<Outline, void> {
  let page: Outline[];
  do {
    page = await read(after, PAGE);
    yield* page;
    after = page.at(-1);
  } while (page.length === PAGE);
}

async function* merged(groups: readonly Outline[], pairs: AsyncIterable<Outline>): AsyncGenerator<Outline, void> {
  let next = 0;
  for await (const pair of pairs) {
    while (next < groups.length && comparePositions(groups[next]!, pair) < 0) yield groups[next++]!;
    yield pair;
  }
  yield* groups.slice(next);
}
