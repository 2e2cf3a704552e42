/** Ends what a block, a removal from a group or the end of a group leaves of a call. */
import type { Audience } from '../conversations/audience.ts';
import { pairId } from '../model/conversation-ref.ts';
import type { Changes } from './changes.ts';
import type { OpenCalls } from './open-calls.ts';
import type { SignalRelay } from './signal.ts';

export interface LostAccessOptions {
  openCalls: Pick<OpenCalls, 'of'>;
  changes: Pick<Changes, 'apply'>;
  audience: Pick<Audience, 'membersOfGroups'>;
  signals: Pick<SignalRelay, 'settled'>;
}

export interface LostAccess {
  /**
   * One of the two blocked the other: their call ends.
   * @returns resolves when it is over, and no signal passes any more
   * @throws MongoError when the store cannot be reached
   */
  endBetween(one: string, other: string): Promise<void>;
  /**
   * Users are no longer in a group: they leave its call. The call of a deleted group ends.
   * @returns resolves when they have left, and no signal of theirs passes any more
   * @throws MongoError when the store cannot be reached
   */
  removeFromCalls(userIds: string[], groupId: string): Promise<void>;
}

/** Reconciliation makes up for what fails here. */
export function createLostAccess({ openCalls, changes, audience, signals }: LostAccessOptions): LostAccess {
  return {
    async endBetween(one, other) {
      const call = await openCalls.of(pairId(one, other));
      if (!call) return;
      await changes.apply(call.id, { type: 'block' });
      await signals.settled(call.id);
    },
    async removeFromCalls(userIds, groupId) {
      const call = await openCalls.of(groupId);
      if (!call) return;
      const members = (await audience.membersOfGroups([groupId])).get(groupId);
      if (!members) await changes.apply(call.id, { type: 'close' });
      for (const user of members ? userIds.filter((id) => !members.includes(id)) : []) {
        await changes.apply(call.id, { type: 'remove', user });
      }
      await signals.settled(call.id);
    },
  };
}
