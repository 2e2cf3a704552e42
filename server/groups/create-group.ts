import { ObjectId } from 'mongodb';
import type { CommandData, CommandPayload } from '../../shared/contract/index.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { AssertTime } from '../lib/deadline.ts';
import { conflict } from '../lib/errors.ts';
import { fromId, toWire } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import { isDuplicateKey } from '../model/failures.ts';
import { toWireGroup } from '../model/views/group.ts';
import type { AnnounceGroup } from './announcement.ts';
import type { FollowUp } from './follow-up.ts';
import type { GroupLimit } from './group-limit.ts';
import { assertCanBeAdded, assertWithinLimit, type CandidateOptions, includes } from './members.ts';
import type { Stays } from './stays.ts';

type Payload = CommandPayload<'group:create'>;
type Created = CommandData<'group:create'>;

export interface CreateGroupOptions extends CandidateOptions {
  collections: Pick<Collections, 'groups' | 'users' | 'conversations'>;
  stays: Stays;
  limit: GroupLimit;
  announce: AnnounceGroup;
  followUp: FollowUp;
  /** Whether the user may make this upload an icon; throws if not. */
  checkIcon(userId: string, mediaId: string): Promise<void>;
  maxMembers: number;
  clock(): Date;
}

/** `group:create`: the creator is the first member and the only admin. A repeat is answered with the group made before. */
export function createGroupCreation(options: CreateGroupOptions) {
  const { collections, limit, checkIcon, maxMembers, clock } = options;

  return async (caller: Caller, payload: Payload, assertTime: AssertTime): Promise<Created> => {
    const { client_group_id, icon, member_ids } = payload;
    const repeated = await findRepeated(collections, caller, client_group_id);
    if (repeated) return repeated;
    const others = [...new Set(member_ids)].filter((id) => id !== caller.id).map(fromId);
    assertWithinLimit(others.length + 1, maxMembers, 'member_ids');
    await Promise.all([
      others.length > 0 && assertCanBeAdded(options, caller, others),
      icon && checkIcon(caller.id, icon),
    ]);
    return limit.entering([caller.userId, ...others], async (assertRoom) => {
      const group = groupOf(caller, payload, others, clock());
      await assertRoom(group.members);
      assertTime();
      if (await insert(options, group, assertTime)) return tell(options, caller, group);
      return (await findRepeated(collections, caller, client_group_id))!;
    });
  };
}

function groupOf(caller: Caller, payload: Payload, others: ObjectId[], now: Date): GroupDocument {
  const { name, description = null, icon = null, client_group_id } = payload;
  return {
    _id: new ObjectId(),
    name,
    description,
    icon,
    creator_id: caller.userId,
    ...(client_group_id === undefined ? {} : { client_group_id }),
    members: [caller.userId, ...others],
    admins: [caller.userId],
    created_at: now,
    updated_at: now,
    is_active: true,
  };
}

/**
 * Stores a group. Its own document comes last: until it exists, the others belong to no group, and nobody sees them.
 * @returns false if the same command was carried out at the same moment, and nothing is left of this one
 */
async function insert(
  { collections: { groups, conversations }, stays }: CreateGroupOptions,
  group: GroupDocument,
  assertTime: AssertTime,
): Promise<boolean> {
  const _id = group._id.toHexString();
  const at = group.created_at;
  try {
    await Promise.all([
      stays.open(group._id, group.members, 0),
      conversations.insertOne({
        _id,
        kind: 'group',
        group_id: group._id,
        last_seq: 0,
        rev: 0,
        activity_at: at,
        changed_at: at,
        created_at: at,
      }),
    ]);
    assertTime();
  } catch (error) {
    await discard();
    throw error;
  }
  try {
    await groups.insertOne(group);
    return true;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    // The driver repeated a write that had arrived.
    if (await groups.findOne({ _id: group._id }, { projection: { _id: 1 } })) return true;
    await discard();
    if (group.client_group_id === undefined) throw error;
    return false;
  }

  async function discard(): Promise<void> {
    // What a failure here leaves belongs to no group.
    await Promise.allSettled([stays.discard(group._id), conversations.deleteOne({ _id })]);
  }
}

async function tell(
  { announce, followUp }: CreateGroupOptions,
  caller: Caller,
  group: GroupDocument,
): Promise<Created> {
  const members = toWire(group.members);
  const joined = followUp.joined(group, members, 0);
  const created = announce(caller, group, { reason: 'created', directly: members });
  await joined;
  return { group: created };
}

/** @throws ContractError `conflict` if the group was made before and the caller is not in it any more */
async function findRepeated(
  { groups }: Pick<Collections, 'groups'>,
  caller: Caller,
  client_group_id: string | undefined,
): Promise<Created | undefined> {
  if (client_group_id === undefined) return undefined;
  const group = await groups.findOne({ creator_id: caller.userId, client_group_id });
  if (!group) return undefined;
  if (!group.is_active || !includes(group.members, caller.userId)) {
    throw conflict('the group of this client_group_id is over');
  }
  return { group: toWireGroup(group), duplicate: true };
}
