/**
 * Work that follows a change of who is in a group. The change itself is stored by now and is not undone if the store
 * goes away, so failures here are logged, not thrown.
 */
import type { ObjectId } from 'mongodb';
import type { Logger } from 'pino';
import { toWire } from '../model/codec.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import type { Rooms } from './rooms.ts';
import type { Stays } from './stays.ts';

export interface FollowUp {
  /**
   * Lets new members receive what lies above `fromSeq`; the order goes out before this returns its promise.
   * @returns resolves when the order is known to be right; never rejects
   */
  joined(group: GroupDocument, userIds: string[], fromSeq: number): Promise<void>;
  /**
   * Stops delivery to users who are no longer in the group, and ends their stays and their part in its calls.
   * @param at a moment before the group's document was changed
   * @returns resolves when all of it is done; never rejects
   */
  left(group: GroupDocument, users: ObjectId[], at: Date): Promise<void>;
}

export interface FollowUpOptions {
  rooms: Rooms;
  stays: Stays;
  /** Users are no longer in a group. Resolves when they have left its call. */
  onRemoved(userIds: string[], groupId: string): Promise<void>;
  log: Logger;
}

export function createFollowUp({ rooms, stays, onRemoved, log }: FollowUpOptions): FollowUp {
  async function complete(group: GroupDocument, work: Promise<void>[]): Promise<void> {
    for (const done of await Promise.allSettled(work)) {
      if (done.status === 'rejected')
        log.warn({ err: done.reason, group_id: group._id }, 'the follow-up of a group change failed');
    }
  }

  return {
    joined: (group, userIds, fromSeq) => complete(group, [rooms.joined(group._id.toHexString(), userIds, fromSeq)]),
    left(group, users, at) {
      const groupId = group._id.toHexString();
      const userIds = toWire(users);
      return complete(group, [
        rooms.left(groupId, userIds),
        stays.close(group._id, users, at),
        onRemoved(userIds, groupId),
      ]);
    },
  };
}
