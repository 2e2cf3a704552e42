import { ObjectId } from 'mongodb';
import type { CommandData, CommandPayload } from '../../shared/contract/index.ts';
import { emptyGroupSummary } from '../conversations/group-summary.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { AssertTime } from '../lib/deadline.ts';
import { conflict, unavailable } from '../lib/errors.ts';
import { fromId, toWire } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import { insertOnce } from '../model/insert-once.ts';
import { storedMetadata } from '../model/metadata.ts';
import { permissionsOf } from '../model/permissions.ts';
import { toWireGroup } from '../model/views/group.ts';
import type { OutboxSource } from '../outbox/outbox.ts';
import type { AnnounceGroup } from './announcement.ts';
import type { GroupEvent } from './change.ts';
import type { FollowUp } from './follow-up.ts';
import type { GroupLimit } from './group-limit.ts';
import { assertCanBeAdded, assertWithinLimit, type CandidateOptions, includes } from './members.ts';
import type { Stays } from './stays.ts';

type Payload = CommandPayload<'group:create'>;
type Created = CommandData<'group:create'>;

export interface CreateGroupOptions extends CandidateOptions {
  outbox: OutboxSource<GroupDocument>;
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
      const news: GroupEvent = { reason: 'created', actor_id: caller.userId };
      const group = { ...groupOf(caller, payload, others, clock()), ...options.outbox.noted(news) };
      await assertRoom(group.members);
      assertTime();
      if (await insert(options, group, assertTime)) return tell(options, caller, group);
      const first = await findRepeated(collections, caller, client_group_id);
      if (!first) throw unavailable('the group was refused and is not there; try again');
      return first;
    });
  };
}

function groupOf(caller: Caller, payload: Payload, others: ObjectId[], now: Date): GroupDocument {
  const { name, description = null, icon = null, client_group_id, permissions = {}, slow_mode_s = 0 } = payload;
  const metadata = storedMetadata(payload.metadata);
  return {
    _id: new ObjectId(),
    name,
    description,
    icon,
    creator_id: caller.userId,
    ...(client_group_id === undefined ? {} : { client_group_id }),
    members: [caller.userId, ...others],
    admins: [caller.userId],
    ...(metadata === undefined ? {} : { metadata }),
    permissions: permissionsOf({ permissions }),
    slow_mode_s,
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
  const summary = emptyGroupSummary(group);
  try {
    await Promise.all([stays.open(group._id, group.members, 0), insertOnce(conversations, summary)]);
    assertTime();
  } catch (error) {
    await discard();
    throw error;
  }
  const isStored = await insertOnce(groups, group);
  if (!isStored) await discard();
  return isStored;

  async function discard(): Promise<void> {
    // What a failure here leaves belongs to no group.
    await Promise.allSettled([stays.discard(group._id), conversations.deleteOne({ _id: summary._id })]);
  }
}

async function tell(
  { outbox, announce, followUp }: CreateGroupOptions,
  caller: Caller,
  group: GroupDocument,
): Promise<Created> {
  outbox.moveSoon(group);
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
