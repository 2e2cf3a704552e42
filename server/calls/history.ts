/** What a user's calls are: the history, and those under way for `sync`. */
import type { Call as WireCall } from '../../shared/contract/documents.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { CallAccess } from './call-access.ts';
import type { CallStore } from './call-store.ts';
import { toWireCall } from './call-view.ts';

const DEFAULT_LIMIT = 50;

export interface CallHistory {
  page(caller: Caller, payload: CommandPayload<'call:history'>): Promise<{ calls: WireCall[]; has_more: boolean }>;
  /** A user's calls that are not over, and ongoing calls of the user's groups. */
  callsOf(userId: string): Promise<WireCall[]>;
}

export function createCallHistory(store: CallStore, callAccess: CallAccess): CallHistory {
  return {
    async page(caller, { limit = DEFAULT_LIMIT, before_id }) {
      const [groupIds, before] = await Promise.all([
        callAccess.groupsOf(caller.id),
        before_id === undefined ? undefined : callAccess.reach(caller.id, before_id),
      ]);
      const found = await store.history(caller.id, groupIds, before, limit + 1);
      return { calls: found.slice(0, limit).map(toWireCall), has_more: found.length > limit };
    },
    async callsOf(userId) {
      const groupIds = await callAccess.groupsOf(userId);
      const found = await store.openFor(userId, groupIds);
      return found
        .filter((call) => call.group_id === undefined || groupIds.includes(call.group_id))
        .filter((call) => call.status === 'ongoing' || call.told_ids.includes(userId))
        .map(toWireCall);
    },
  };
}
