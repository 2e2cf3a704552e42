import { ObjectId } from 'mongodb';
import type { Handler } from '../dispatch/handlers.ts';
import { fromId, toWire } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import type { AnnounceGroup } from './announcement.ts';
import type { FollowUp } from './follow-up.ts';
import { assertCanBeAdded, assertWithinLimit, type CandidateOptions } from './members.ts';
import type { Stays } from './stays.ts';

export interface CreateGroupOptions extends CandidateOptions {
  collections: Pick<Collections, 'groups' | 'users' | 'conversations'>;
  stays: Stays;
  announce: AnnounceGroup;
  followUp: FollowUp;
  /** Whether the user may make this upload an icon; throws if not. */
  checkIcon(userId: string, mediaId: string): Promise<void>;
  maxMembers: number;
  clock(): Date;
}

/** `group:create`: the creator is the first member and the only admin. */
export function createGroupCreation(options: CreateGroupOptions): Handler<'group:create'> {
  const { collections, stays, announce, followUp, checkIcon, maxMembers, clock } = options;
  const { groups, conversations } = collections;

  return async (caller, { name, description = null, icon = null, member_ids }) => {
    const others = [...new Set(member_ids)].filter((id) => id !== caller.id).map(fromId);
    assertWithinLimit(others.length + 1, maxMembers, 'member_ids');
    await Promise.all([
      others.length > 0 && assertCanBeAdded(options, caller, others),
      icon && checkIcon(caller.id, icon),
    ]);
    const now = clock();
    const group: GroupDocument = {
      _id: new ObjectId(),
      name,
      description,
      icon,
      creator_id: caller.userId,
      members: [caller.userId, ...others],
      admins: [caller.userId],
      created_at: now,
      updated_at: now,
      is_active: true,
    };
    await Promise.all([
      stays.open(group._id, group.members, 0),
      conversations.insertOne({
        _id: group._id.toHexString(),
        kind: 'group',
        group_id: group._id,
        last_seq: 0,
        rev: 0,
        activity_at: now,
        changed_at: now,
        created_at: now,
      }),
    ]);
    // Last: until this document exists, the others belong to no group, and nobody sees them.
    await groups.insertOne(group);
    const members = toWire(group.members);
    const joined = followUp.joined(group, members, 0);
    const created = announce(caller, group, { reason: 'created', directly: members });
    await joined;
    return { group: created };
  };
}
