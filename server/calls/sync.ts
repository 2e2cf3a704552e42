import type { Call as WireCall } from '../../shared/contract/documents.ts';
import type { CallAccess } from './access.ts';
import type { OpenCalls } from './open-calls.ts';
import { toWireCall } from './view.ts';

export interface CallSyncOptions {
  openCalls: Pick<OpenCalls, 'concerning'>;
  callAccess: Pick<CallAccess, 'groupsOf'>;
}

/** @returns finds what `sync` lists: a user's calls that are not over, and ongoing calls of the user's groups */
export function createCallSync({ openCalls, callAccess }: CallSyncOptions) {
  return async function callsOf(userId: string): Promise<WireCall[]> {
    const groupIds = await callAccess.groupsOf(userId);
    const found = await openCalls.concerning(userId, groupIds);
    return found
      .filter((call) => call.group_id === undefined || groupIds.includes(call.group_id))
      .filter((call) => call.status === 'ongoing' || call.told_ids.includes(userId))
      .map(toWireCall);
  };
}
