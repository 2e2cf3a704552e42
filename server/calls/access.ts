/** Decides who may know of a call: the two of a pair, the members of a group. */
import { notFound } from '../lib/errors.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { Call } from './call.ts';
import type { CallStore } from './store.ts';

export interface CallAccess {
  /**
   * The call, as stored.
   * @throws ContractError `not_found` for an unknown call and for one that the user may not know of
   */
  reach(userId: string, callId: string): Promise<Call>;
  mayKnow(userId: string, call: Call): Promise<boolean>;
  /** The ids of the groups whose calls a user may know of. */
  groupsOf(userId: string): Promise<string[]>;
}

export function createCallAccess({ groups }: Pick<Collections, 'groups'>, store: Pick<CallStore, 'find'>): CallAccess {
  async function mayKnow(userId: string, { caller_id, recipient_id, group_id }: Call): Promise<boolean> {
    if (group_id === undefined) return caller_id === userId || recipient_id === userId;
    const membership = { _id: fromId(group_id), members: fromId(userId), is_active: true };
    return (await groups.findOne(membership, { projection: { _id: 1 } })) !== null;
  }

  return {
    async reach(userId, callId) {
      const call = await store.find(callId);
      if (!call || !(await mayKnow(userId, call))) throw notFound('no such call');
      return call;
    },
    mayKnow,
    async groupsOf(userId) {
      const found = await groups
        .find({ members: fromId(userId), is_active: true }, { projection: { _id: 1 } })
        .toArray();
      return found.map((group) => group._id.toHexString());
    },
  };
}
