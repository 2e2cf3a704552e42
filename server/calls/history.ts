/** `call:history`: a user's calls and those of the user's groups, newest first. */
import type { Filter } from 'mongodb';
import type { Handler } from '../dispatch/handlers.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { CallDocument } from '../model/documents/calls.ts';
import type { CallAccess } from './access.ts';
import type { Call } from './call.ts';
import { toCall } from './document.ts';
import { toWireCall } from './view.ts';

const DEFAULT_LIMIT = 50;

export interface HistoryOptions {
  collections: Pick<Collections, 'calls'>;
  callAccess: Pick<CallAccess, 'reach' | 'groupsOf'>;
}

/** @returns the handler of `call:history` */
export function createHistory({ collections: { calls }, callAccess }: HistoryOptions): Handler<'call:history'> {
  /** A page of one index: the calls of a user, or those of groups. */
  async function page(filter: Filter<CallDocument>, before: Call | undefined, limit: number): Promise<Call[]> {
    const found = await calls
      .find(before ? { $and: [filter, ...olderThan(before)] } : filter)
      .sort({ started_at: -1, _id: -1 })
      .limit(limit)
      .toArray();
    return found.map(toCall);
  }

  return async (caller, { limit = DEFAULT_LIMIT, before_id }) => {
    const [groupIds, before] = await Promise.all([
      callAccess.groupsOf(caller.id),
      before_id === undefined ? undefined : callAccess.reach(caller.id, before_id),
    ]);
    const pages = await Promise.all([
      page({ party_ids: caller.userId }, before, limit + 1),
      groupIds.length > 0 ? page({ group_id: { $in: groupIds.map(fromId) } }, before, limit + 1) : [],
    ]);
    const found = pages.flat().sort(newestFirst);
    return { calls: found.slice(0, limit).map(toWireCall), has_more: found.length > limit };
  };
}

/** The filters of calls older than one. The first is implied by the second; the index is searched by it. */
function olderThan({ started_at, id }: Call): Filter<CallDocument>[] {
  return [
    { started_at: { $lte: started_at } },
    { $or: [{ started_at: { $lt: started_at } }, { started_at, _id: { $lt: fromId(id) } }] },
  ];
}

function newestFirst(a: Call, b: Call): number {
  return b.started_at.getTime() - a.started_at.getTime() || (a.id < b.id ? 1 : -1);
}
