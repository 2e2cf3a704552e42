/** Ends what a block, a removal from a group or the end of a group leaves of a call. */
import type { Logger } from 'pino';
import type { Audience } from '../conversations/audience.ts';
import { pairId } from '../model/conversation-ref.ts';
import type { Changes } from './changes.ts';
import type { OpenCalls } from './open-calls.ts';

export interface LostAccessOptions {
  openCalls: Pick<OpenCalls, 'of'>;
  changes: Pick<Changes, 'apply'>;
  audience: Pick<Audience, 'membersOfGroups'>;
  log: Logger;
}

/** Both return at once. What fails, reconciliation makes up for. */
export interface LostAccess {
  /** One of the two blocked the other: their call ends. */
  endBetween(one: string, other: string): void;
  /** Users are no longer in a group: they leave its call. The call of a deleted group ends. */
  removeFromCalls(userIds: string[], groupId: string): void;
}

export function createLostAccess({ openCalls, changes, audience, log }: LostAccessOptions): LostAccess {
  async function endPair(one: string, other: string): Promise<void> {
    const call = await openCalls.of(pairId(one, other));
    if (call) await changes.apply(call.id, { type: 'block' });
  }

  async function removeMembers(userIds: string[], groupId: string): Promise<void> {
    const call = await openCalls.of(groupId);
    if (!call) return;
    const members = (await audience.membersOfGroups([groupId])).get(groupId);
    if (!members) {
      await changes.apply(call.id, { type: 'close' });
      return;
    }
    for (const user of userIds) {
      if (!members.includes(user)) await changes.apply(call.id, { type: 'remove', user });
    }
  }

  return {
    endBetween(one, other) {
      endPair(one, other).catch((err) => log.warn({ err }, 'a call goes on in spite of a block'));
    },
    removeFromCalls(userIds, groupId) {
      removeMembers(userIds, groupId).catch((err) => log.warn({ err }, 'users who left a group are still in its call'));
    },
  };
}
