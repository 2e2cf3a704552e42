import type { Call as WireCall } from '../../shared/contract/documents.ts';
import type { OpenCalls } from './open-calls.ts';
import { toWireCall } from './view.ts';

export interface CallSyncOptions {
  openCalls: Pick<OpenCalls, 'concerning'>;
}

/**
 * @returns a function that finds what `sync` lists: a user's calls that are not over, and ongoing calls of the groups
 * that the user is in
 */
export function createCallSync({ openCalls }: CallSyncOptions) {
  return async function callsOf(userId: string, groupIds: string[]): Promise<WireCall[]> {
    const found = await openCalls.concerning(userId, groupIds);
    return found
      .filter((call) => call.group_id === undefined || groupIds.includes(call.group_id))
      .filter((call) => call.status === 'ongoing' || call.told_ids.includes(userId))
      .map(toWireCall);
  };
}
