/** What one `sync` goes through: all conversations of a user, or those in which something changed. */
import type { Caller } from '../dispatch/caller.ts';
import type { ChangedOutlines } from './changed-outlines.ts';
import { comparePositions, isAfter } from './list-position.ts';
import { hasAbove, type Outline } from './outline.ts';
import type { Outlines } from './outlines.ts';
import type { Walked } from './sync-walk.ts';

export interface Scope {
  walked: Walked;
  /** Those of the conversations that the client named that the user is in and that anything was ever written in. */
  present: ReadonlySet<string>;
}

/**
 * @param since only what changed since then; everything without it
 * @param revs the `rev` up to which the client has each conversation that it named, by id
 * @param isFirst whether `present` is asked for
 */
export type SyncScope = (
  caller: Caller,
  since: Date | undefined,
  revs: ReadonlyMap<string, number>,
  isFirst: boolean,
) => Promise<Scope>;

export interface SyncScopeOptions {
  outlines: Outlines;
  readChanged: ChangedOutlines;
}

export function createSyncScope({ outlines, readChanged }: SyncScopeOptions): SyncScope {
  return async ({ userId, id }, since, revs, isFirst) => {
    const [groups, named] = await Promise.all([
      outlines.ofGroups(userId),
      isFirst || since ? outlines.ofPairsAmong(userId, pairsAmong(revs.keys(), id)) : [],
    ]);
    const written = named.filter(({ summary }) => summary.last_seq > 0);
    const present = new Set([...groups, ...written].map((outline) => outline.id));
    const activePairsAfter: Walked['activePairsAfter'] = (after, limit, from) =>
      outlines.ofPairs(userId, { after, limit, since: from });
    if (since === undefined) {
      const pairsAfter: Walked['pairsAfter'] = (after, limit) => outlines.ofPairs(userId, { after, limit });
      return { walked: { groups, pairsAfter, activePairsAfter }, present };
    }
    const changed = await readChanged(userId, since, groups);
    // A client that lacks messages is told however old they are.
    const isBehind = (outline: Outline) => revs.has(outline.id) && hasAbove(outline, revs.get(outline.id)!);
    const pairs = byPosition([...changed.pairs, ...named.filter(isBehind)]);
    return {
      walked: {
        groups: byPosition([...changed.groups, ...groups.filter(isBehind)]),
        pairsAfter: async (after, limit) => pairs.filter((pair) => isAfter(pair, after)).slice(0, limit),
        activePairsAfter,
      },
      present,
    };
  };
}

/** Those of the ids that can be pairs of the user. */
function pairsAmong(ids: Iterable<string>, userId: string): string[] {
  return [...ids].filter((id) => /^[0-9a-f]{24}-[0-9a-f]{24}$/.test(id) && id.includes(userId));
}

/** Each conversation once, in the order of positions. */
function byPosition(outlines: Outline[]): Outline[] {
  return [...new Map(outlines.map((outline) => [outline.id, outline])).values()].sort(comparePositions);
}
