import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { Visibility } from './visibility.ts';

/** @returns a function that reads from where on each user sees a group; users without a membership are left out */
export function createFromSeqs({ memberships }: Pick<Collections, 'memberships'>, visibility: Visibility) {
  return async (groupId: string, userIds: string[]): Promise<Map<string, number>> => {
    const found = await memberships
      .find(
        { user_id: { $in: userIds.map(fromId) }, conversation_id: groupId },
        { projection: { user_id: 1, from_seq: 1 } },
      )
      .toArray();
    return new Map(found.map((membership) => [membership.user_id.toHexString(), visibility.fromSeq(membership)]));
  };
}
