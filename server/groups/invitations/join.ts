/** `group:preview` and `group:join`: with the code of an invitation (PROTOCOL section 16). */
import type { ObjectId } from 'mongodb';
import type { Handler } from '../../dispatch/handlers.ts';
import { toWire } from '../../model/codec.ts';
import type { Collections } from '../../model/collections.ts';
import { toWireGroup } from '../../model/views/group.ts';
import type { Enter } from '../entering.ts';
import type { GroupLimit } from '../group-limit.ts';
import type { InTurn } from '../in-turn.ts';
import { assertNotFull, includes } from '../members.ts';
import { type Invitations, noSuchInvite } from './find-invited.ts';
import { usesLeft, usesPath } from './invites.ts';
import type { Requesting } from './requesting.ts';

export interface JoinOptions {
  collections: Pick<Collections, 'groups'>;
  invitations: Invitations;
  requesting: Pick<Requesting, 'ask'>;
  enter: Enter;
  limit: GroupLimit;
  maxMembers: number;
  /** Carries out a change of who is in a group: access decisions made before it must not outlive it. */
  changing<T>(groupId: string, work: () => Promise<T>): Promise<T>;
  inTurn: InTurn;
}

export function createPreview(invitations: Invitations): Handler<'group:preview'> {
  return async (caller, { code }) => {
    const { group, inviteId } = await invitations.find(code);
    if (!includes(group.members, caller.userId)) await invitations.assertLetsIn(group, inviteId, caller.userId);
    const { _id, name, description, icon, members } = group;
    return {
      group: {
        ...toWire({ _id, name }),
        ...(description === null ? {} : { description }),
        ...(icon === null ? {} : { icon }),
        member_count: members.length,
      },
    };
  };
}

/**
 * Lets a user in by an invitation, or has them ask. Joining is consent: blocks, and who may add whom, do not matter.
 * @throws ContractError `not_found` for a code that does not let the user in, `conflict` for a full group, and for a
 *   user who is in too many
 */
export function createJoin({
  collections: { groups },
  invitations,
  requesting,
  enter,
  limit,
  maxMembers,
  changing,
  inTurn,
}: JoinOptions): Handler<'group:join'> {
  const enterInTurn = inTurn(
    async (caller, { groupId, inviteId }: { groupId: ObjectId; inviteId: string }, assertTime) => {
      const { userId } = caller;
      return changing(groupId.toHexString(), () =>
        limit.entering([userId], (assertRoom) =>
          enter({
            actor: caller,
            groupId,
            async find() {
              const read = await groups.findOne({ _id: groupId, is_active: true });
              if (!read) throw noSuchInvite();
              return read;
            },
            async decide(read) {
              if (includes(read.members, userId)) return undefined;
              const invite = await invitations.assertLetsIn(read, inviteId, userId);
              assertNotFull(read, maxMembers);
              return {
                added: [userId],
                // Nor has an admin removed anybody since: it could have been this user.
                guard: { ...usesLeft(inviteId, invite), removed_at: read.removed_at ?? { $exists: false } },
                $inc: { [usesPath(inviteId)]: 1 },
              };
            },
            assertRoom,
            assertTime,
          }),
        ),
      );
    },
  );

  return async (caller, { code }, dueAt) => {
    const { group, inviteId } = await invitations.find(code);
    if (includes(group.members, caller.userId)) return { group: toWireGroup(group) };
    const { approval } = await invitations.assertLetsIn(group, inviteId, caller.userId);
    if (approval) {
      assertNotFull(group, maxMembers);
      return requesting.ask(caller, group._id, inviteId);
    }
    const entered = await enterInTurn(caller, { groupId: group._id, inviteId }, dueAt);
    return { group: entered.group };
  };
}
