/** What one `sync` goes through: all conversations of a user, or those in which something changed. */
import type { Caller } from '../dispatch/caller.ts';
import type { ConversationDocument } from '../model/documents/conversations.ts';
import type { ReadChanged } from './changed-outlines.ts';
import type { GroupOutlines } from './group-outlines.ts';
import { comparePositions, isAfter, type ListPosition } from './list-position.ts';
import { hasAbove, type Outline, outlineOfPair } from './outline.ts';
import type { PairParts } from './pair-parts.ts';
import { having, type Part, readTogether } from './read-together.ts';
import type { SyncProgress } from './sync-progress.ts';
import type { Walked } from './sync-walk.ts';

/** Pairs that are read at first, when all are gone through: more than most answers have room for. */
const PAGE = 500;

export interface Scope {
  walked: Walked;
  /** The ids of all groups that the user is in. */
  groupIds: string[];
  /** Those of the conversations that the client named that the user is in and that anything was ever written in. */
  present: ReadonlySet<string>;
}

/**
 * @param progress how far the client has come; with `since` only what changed since then is gone through
 * @param revs the `rev` up to which the client has each conversation that it named, by id
 * @param isFirst whether `present` is asked for
 */
export type ReadScope = (
  caller: Caller,
  progress: SyncProgress,
  revs: ReadonlyMap<string, number>,
  isFirst: boolean,
) => Promise<Scope>;

export interface SyncScopeOptions {
  groupOutlines: GroupOutlines;
  pairParts: PairParts;
  readChanged: ReadChanged;
}

export function createReadScope({ groupOutlines, pairParts, readChanged }: SyncScopeOptions): ReadScope {
  /** Those of the ids that are pairs in which anything was ever written. */
  const presentPairs = (caller: Caller, ids: string[]): Part[] =>
    pairParts.among(caller.userId, ids).map(({ collection, stages }) => ({
      collection,
      stages: [...stages, { $match: { last_seq: { $gt: 0 } } }, { $project: { _id: 0, present: '$_id' } }],
    }));

  async function readAll(
    caller: Caller,
    { completeTo, startedAt }: SyncProgress,
    revs: ReadonlyMap<string, number>,
    isFirst: boolean,
  ): Promise<Scope> {
    const { userId, id } = caller;
    // What becomes active while these are read is found by the second of the two.
    const read = (after: ListPosition | undefined, limit?: number) => [
      pairParts.behind(userId, after, limit),
      ...(after ? [pairParts.activeSince(userId, startedAt)] : []),
    ];
    const { found, outline } = await groupOutlines.find<ConversationDocument | { present: string }>(userId, [
      ...read(completeTo, PAGE),
      ...(isFirst ? presentPairs(caller, pairsAmong(revs.keys(), id)) : []),
    ]);
    const pairs = byPosition(having(found, 'last_seq').map(outlineOfPair));
    const { groups } = await outline();
    const groupIds = groups.map((group) => group.id);
    const isPage = pairs.filter((pair) => isAfter(pair, completeTo)).length >= PAGE;
    const readRest = async (after: ListPosition) =>
      byPosition((await readTogether<ConversationDocument>(read(after))).map(outlineOfPair));
    return {
      walked: { groups, pairs, ...(isPage ? { readRest } : {}) },
      groupIds,
      present: new Set([...groupIds, ...having(found, 'present').map(({ present }) => present)]),
    };
  }

  return async (caller, progress, revs, isFirst) => {
    const { since } = progress;
    if (since === undefined) return readAll(caller, progress, revs, isFirst);
    const { allGroups, changed, named } = await readChanged(caller.userId, since, pairsAmong(revs.keys(), caller.id));
    // A client that lacks messages is told however old they are.
    const isBehind = (outline: Outline) => revs.has(outline.id) && hasAbove(outline, revs.get(outline.id)!);
    const wanted = byPosition([...changed, ...named.filter(isBehind), ...allGroups.filter(isBehind)]);
    const groupIds = allGroups.map(({ id }) => id);
    const written = named.filter(({ summary }) => summary.last_seq > 0);
    return {
      walked: {
        groups: wanted.filter(({ summary }) => summary.kind === 'group'),
        pairs: wanted.filter(({ summary }) => summary.kind === 'direct'),
      },
      groupIds,
      present: new Set([...groupIds, ...written.map(({ id }) => id)]),
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
