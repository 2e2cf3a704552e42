/** Putting users into an existing group: by hand, by an invitation, or by letting in somebody who asked. */
import type { Filter, ObjectId, UpdateFilter } from 'mongodb';
import type { Group } from '../../shared/contract/documents.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { AssertTime } from '../lib/deadline.ts';
import { ContractError } from '../lib/errors.ts';
import { fromId, toWire } from '../model/codec.ts';
import { groupRef } from '../model/conversation-ref.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import { toWireGroup } from '../model/views/group.ts';
import type { OutboxSource } from '../outbox/outbox.ts';
import type { Actor, AnnounceGroup } from './announcement.ts';
import { changeGroup, type Decision } from './change.ts';
import type { FollowUp } from './follow-up.ts';
import type { AssertRoom } from './group-limit.ts';
import type { JoinRequests } from './invitations/join-requests.ts';
import type { Stays } from './stays.ts';

export interface EnterOptions {
  outbox: OutboxSource<GroupDocument>;
  store: Pick<MessageStore, 'highest'>;
  stays: Pick<Stays, 'open' | 'close'>;
  requests: Pick<JoinRequests, 'end'>;
  announce: AnnounceGroup;
  followUp: Pick<FollowUp, 'joined'>;
  maxMembers: number;
  clock(): Date;
}

/** Who enters, as decided on the group as it was read. */
export interface Entry {
  /** None of them is in the group yet. */
  added: ObjectId[];
  /** What must still hold, besides that none of them is in it and that there is room. */
  guard: Filter<GroupDocument>;
  /** What else the same write counts. */
  $inc?: UpdateFilter<GroupDocument>['$inc'];
}

export interface Entering {
  actor: Actor;
  groupId: ObjectId;
  /** Reads the group; throws if there is nothing to enter. */
  find(): Promise<GroupDocument>;
  /** May refuse by throwing; undefined where nobody is to be added. */
  decide(group: GroupDocument): Promise<Entry | undefined>;
  assertRoom: AssertRoom;
  assertTime: AssertTime;
}

/** Adds users, who see the history from here on, and tells of it. @returns the group, and whether it changed */
export type Enter = (entering: Entering) => Promise<{ group: Group; changed: boolean }>;

export function createEnter(options: EnterOptions): Enter {
  const { outbox, store, stays, requests, announce, followUp, maxMembers, clock } = options;

  return async ({ actor, groupId, find, decide, assertRoom, assertTime }) => {
    let added: ObjectId[] = [];
    let opened: ObjectId[] = [];
    let fromSeq = 0;

    async function change(read: GroupDocument): Promise<Decision | undefined> {
      const entry = await decide(read);
      if (!entry) return undefined;
      added = entry.added;
      await assertRoom(added);
      assertTime();
      fromSeq = await store.highest('seq', groupRef(groupId.toHexString()));
      // Before the group lets them in: an earlier stay must not reveal what was sent while they were away.
      opened = added;
      await stays.open(groupId, added, fromSeq);
      const guard = {
        $and: [
          entry.guard,
          { members: { $nin: added } },
          // Everyone who is added still fits in.
          { [`members.${maxMembers - added.length}`]: { $exists: false } },
        ],
      };
      const { $inc } = entry;
      const counted = $inc ? { $inc } : {};
      return {
        guard,
        update: { $push: { members: { $each: added } }, $max: { updated_at: clock() }, ...counted },
        news: { reason: 'members_added', actor_id: fromId(actor.id), user_ids: added },
      };
    }

    const { group, changed } = await changeGroup(outbox, find, change, assertTime).catch(async (error: unknown) => {
      // Nobody let them in after all; what is left otherwise is a hint that is wrong, and hides nothing.
      if (error instanceof ContractError && opened.length > 0)
        await stays.close(groupId, opened, clock()).catch(() => {});
      throw error;
    });
    if (!changed) return { group: toWireGroup(group), changed };
    const joinedIds = toWire(added);
    const done = Promise.all([followUp.joined(group, joinedIds, fromSeq), requests.end(group._id, added)]);
    const wire = announce(actor, group, { reason: 'members_added', userIds: joinedIds, directly: joinedIds });
    await done;
    return { group: wire, changed };
  };
}
