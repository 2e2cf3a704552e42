/**
 * Asking to join a group, and letting in those who asked. Whoever accepts notes that in the request first, which
 * decides; then the user becomes a member and the invitation's use is taken, by one write of the group; then the
 * request goes. If the process dies in between, whoever meets the accepted request next carries it out.
 */
import { setTimeout } from 'node:timers/promises';
import type { Filter, ObjectId } from 'mongodb';
import type { Group } from '../../../shared/contract/documents.ts';
import type { CommandData } from '../../../shared/contract/index.ts';
import type { Bus } from '../../bus/bus.ts';
import type { Caller } from '../../dispatch/caller.ts';
import { type AssertTime, startTime } from '../../lib/deadline.ts';
import { ContractError, notFound } from '../../lib/errors.ts';
import { toWire } from '../../model/codec.ts';
import type { Collections } from '../../model/collections.ts';
import type { GroupDocument, JoinRequestDocument } from '../../model/documents/groups.ts';
import { permissionsOf, stillPermitted } from '../../model/permissions.ts';
import { toWireGroup } from '../../model/views/group.ts';
import { toPublicUser } from '../../model/views/user.ts';
import type { Actor } from '../announcement.ts';
import type { Enter } from '../entering.ts';
import { findGroupPermitting } from '../find-group.ts';
import type { GroupLimit } from '../group-limit.ts';
import { assertNotFull, includes } from '../members.ts';
import { noSuchInvite } from './find-invited.ts';
import { isOpen, usesLeft, usesPath } from './invites.ts';
import type { JoinRequests } from './join-requests.ts';

/** How often, and after how many milliseconds each, an accepted request is looked at before it counts as left behind. */
const LOOKS = 10;
const LOOK_MS = 100;

export interface RequestingOptions {
  collections: Pick<Collections, 'groups' | 'users'>;
  requests: JoinRequests;
  enter: Enter;
  limit: GroupLimit;
  bus: Pick<Bus, 'emit'>;
  maxMembers: number;
  /** Carries out a change of who is in a group: access decisions made before it must not outlive it. */
  changing<T>(groupId: string, work: () => Promise<T>): Promise<T>;
  clock(): Date;
}

export interface Requesting {
  /** Has a user ask, once, and tells those who may let the user in. A user who is in by then gets the group. */
  ask(caller: Caller, groupId: ObjectId, inviteId: string): Promise<CommandData<'group:join'>>;
  /**
   * Lets a user in, or turns the user down. A request is decided once.
   * @throws ContractError `not_found` where there is nothing to decide, `conflict` where the user cannot be let in now
   */
  decide(caller: Caller, groupId: ObjectId, userId: ObjectId, accept: boolean, assertTime: AssertTime): Promise<Group>;
  /** Carries out what was accepted, should whoever accepted it be gone. */
  settle(groupId: ObjectId, userId: ObjectId): Promise<void>;
}

/** Who lets a user in, and what that rests on. */
interface Acceptance {
  actor: Actor;
  find(): Promise<GroupDocument>;
  /** What must still hold for the one who acts. */
  right(group: GroupDocument): Filter<GroupDocument>;
  assertTime: AssertTime;
}

const noSuchRequest = () => notFound('no such request');

export function createRequesting(options: RequestingOptions): Requesting {
  const { collections, requests, bus } = options;
  const { groups, users } = collections;

  /** Finishes an acceptance that somebody else has begun, if they do not. */
  async function settle(groupId: ObjectId, userId: ObjectId): Promise<void> {
    for (let look = 0; ; look++) {
      const request = await requests.find(groupId, userId);
      if (!request?.accepted_by) return;
      if (look === LOOKS) return void (await letIn(options, request, leftBehind(groupId, request.accepted_by)));
      await setTimeout(LOOK_MS);
    }
  }

  function leftBehind(groupId: ObjectId, acceptedBy: ObjectId): Acceptance {
    return {
      actor: { id: acceptedBy.toHexString(), socketId: undefined },
      async find() {
        const group = await groups.findOne({ _id: groupId, is_active: true });
        if (!group) throw noSuchRequest();
        return group;
      },
      right: () => ({}),
      assertTime: startTime(),
    };
  }

  async function tell(caller: Caller, group: GroupDocument): Promise<void> {
    const user = await users.findOne({ _id: caller.userId });
    if (!user) return;
    const group_id = group._id.toHexString();
    const isForAll = permissionsOf(group).add_members === 'member';
    const to = isForAll ? { group: group_id } : { users: toWire(group.admins) };
    bus.emit(to, 'group:requested', { group_id, user: toPublicUser(user) }, { by: caller.id });
  }

  return {
    settle,
    async ask(caller, groupId, inviteId) {
      const isNew = await requests.ask(groupId, caller.userId, inviteId);
      if (!isNew) await settle(groupId, caller.userId);
      // Whoever puts the user in meanwhile ends the request after that: one of the two sees the other's write.
      const group = await groups.findOne({ _id: groupId, is_active: true });
      if (!group || includes(group.members, caller.userId)) await requests.end(groupId, [caller.userId]);
      if (!group) throw noSuchInvite();
      if (includes(group.members, caller.userId)) return { group: toWireGroup(group) };
      if (isNew) await tell(caller, group);
      return { requested: true };
    },
    async decide(caller, groupId, userId, accept, assertTime) {
      const find = () => findGroupPermitting(groups, caller, groupId, 'add_members');
      for (;;) {
        const group = await find();
        if (includes(group.members, userId)) {
          await requests.end(groupId, [userId]);
          throw noSuchRequest();
        }
        assertTime();
        if (!accept && (await requests.reject(groupId, userId))) return toWireGroup(group);
        const request = accept && (await requests.accept(groupId, userId, caller.userId));
        if (request) {
          const right = (read: GroupDocument) => stillPermitted(read, caller.userId, 'add_members');
          return letIn(options, request, { actor: caller, find, right, assertTime });
        }
        await settle(groupId, userId);
        // Another's acceptance may have failed: then there is something to decide again.
        if (!(await requests.find(groupId, userId))) throw noSuchRequest();
      }
    },
  };
}

/** Makes the user who asked a member, and takes the use of the invitation, if that is still there. */
async function letIn(
  { collections: { users }, requests, enter, limit, maxMembers, changing, clock }: RequestingOptions,
  request: JoinRequestDocument,
  { actor, find, right, assertTime }: Acceptance,
): Promise<Group> {
  const { group_id, user_id, invite_id } = request;

  async function decide(group: GroupDocument) {
    if (includes(group.members, user_id)) return undefined;
    if (!(await users.findOne({ _id: user_id, is_active: true }, { projection: { _id: 1 } }))) throw noSuchRequest();
    assertNotFull(group, maxMembers);
    const invite = group.invites?.[invite_id];
    // A request outlives its invitation.
    if (!invite || !isOpen(invite, clock())) return { added: [user_id], guard: right(group) };
    const guard = { ...right(group), ...usesLeft(invite_id, invite) };
    return { added: [user_id], guard, $inc: { [usesPath(invite_id)]: 1 } };
  }

  try {
    const { group, changed } = await changing(group_id.toHexString(), () =>
      limit.entering([user_id], (assertRoom) =>
        enter({ actor, groupId: group_id, find, decide, assertRoom, assertTime }),
      ),
    );
    if (!changed) await requests.end(group_id, [user_id]);
    return group;
  } catch (error) {
    // Refused, so nothing was written. After a failure of the store nobody knows: it stays accepted.
    if (error instanceof ContractError) await requests.reopen(request);
    throw error;
  }
}
