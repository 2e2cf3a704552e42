/**
 * Work that follows a change of who is in a group. The change itself is stored by now and is not undone if the store
 * goes away, so failures here are logged, not thrown. A slow store does not keep the answer either.
 */
import type { ObjectId } from 'mongodb';
import type { Logger } from 'pino';
import { waitAtMost } from '../lib/deadline.ts';
import { toWire } from '../model/codec.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import type { JoinRequests } from './invitations/join-requests.ts';
import type { Rooms } from './rooms.ts';
import type { Stays } from './stays.ts';

/** How long an answer waits for it, in milliseconds: what is done must not be answered `unavailable`. */
const PATIENCE_MS = 2000;

export interface FollowUp {
  /**
   * Lets new members receive what lies above `fromSeq`; the order goes out before this returns its promise.
   * @returns resolves when the order is known to be right, or the store is slow; never rejects
   */
  joined(group: GroupDocument, userIds: string[], fromSeq: number): Promise<void>;
  /**
   * Stops delivery to users who are no longer in the group, and ends their stays and their part in its calls.
   * @param at a moment before the group's document was changed
   * @returns resolves when all of it is done, or the store is slow; never rejects
   */
  left(group: GroupDocument, users: ObjectId[], at: Date): Promise<void>;
  /** As `left`, for a user who left without being removed. */
  leftByThemselves(group: GroupDocument, user: ObjectId, at: Date): Promise<void>;
}

export interface FollowUpOptions {
  rooms: Rooms;
  stays: Stays;
  requests: Pick<JoinRequests, 'end'>;
  /** Users are no longer in a group. Resolves when they have left its call. */
  onRemoved(userIds: string[], groupId: string): Promise<void>;
  log: Logger;
}

export function createFollowUp({ rooms, stays, requests, onRemoved, log }: FollowUpOptions): FollowUp {
  async function complete(group: GroupDocument, work: Promise<void>[]): Promise<void> {
    const all = Promise.allSettled(work).then((results) => {
      for (const result of results) {
        if (result.status === 'rejected')
          log.warn({ err: result.reason, group_id: group._id }, 'the follow-up of a group change failed');
      }
    });
    await waitAtMost(all, PATIENCE_MS);
  }

  function left(group: GroupDocument, users: ObjectId[], closed: Promise<void>): Promise<void> {
    const groupId = group._id.toHexString();
    const userIds = toWire(users);
    return complete(group, [
      rooms.left(groupId, userIds),
      closed,
      // A request that a crash left behind when the user came in must not show again.
      requests.end(group._id, users),
      onRemoved(userIds, groupId),
    ]);
  }

  return {
    joined: (group, userIds, fromSeq) => complete(group, [rooms.joined(group._id.toHexString(), userIds, fromSeq)]),
    left: (group, users, at) => left(group, users, stays.close(group._id, users, at)),
    leftByThemselves: (group, user, at) => left(group, [user], stays.closeOwn(group._id, user, at)),
  };
}
