/**
 * Groups (PROTOCOL section 7). The group's document is the truth of who is in and who is admin. Every change looks at
 * it, decides, and is then one conditional update whose filter repeats what the decision rested on: of racing commands
 * the later one looks again and decides anew.
 */
import { type Filter, ObjectId, type UpdateFilter } from 'mongodb';
import type { Logger } from 'pino';
import type { Group } from '../../shared/contract/documents.ts';
import type { GroupReason } from '../../shared/contract/groups.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { Collections } from '../model/collections.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import { fromId } from '../model/codec.ts';
import { conflict, forbidden, invalid, notFound, unavailable } from '../lib/errors.ts';
import type { Bus } from '../bus/bus.ts';
import type { Caller } from '../dispatch/caller.ts';
import { groupRef } from '../model/conversation-ref.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { withoutMember } from './departure.ts';
import { stateOf } from '../model/state.ts';
import { toWireGroup } from '../model/views/group.ts';
import type { AccessMemory } from '../conversations/access-memory.ts';
import type { Rooms } from './rooms.ts';
import type { Stays } from './stays.ts';

/** How often a decision is made anew because another command was quicker. */
const MAX_ATTEMPTS = 20;

export interface GroupsOptions {
  collections: Pick<Collections, 'groups' | 'users' | 'conversations'>;
  stays: Stays;
  rooms: Rooms;
  accessMemory: AccessMemory;
  store: Pick<MessageStore, 'newest'>;
  bus: Bus;
  /** Whether one of two users blocks the other. */
  isBlocked(one: string, other: string): Promise<boolean>;
  /** Whether the user may make this upload an icon; throws when not. */
  checkIcon(userId: string, mediaId: string): Promise<void>;
  /** Users are no longer in a group. */
  onRemoved(userIds: string[], groupId: string): void;
  maxMembers: number;
  clock(): Date;
  log: Logger;
}

type Answer = Promise<{ group: Group }>;

export interface Groups {
  create(caller: Caller, payload: CommandPayload<'group:create'>): Answer;
  get(caller: Caller, payload: CommandPayload<'group:get'>): Answer;
  list(caller: Caller): Promise<{ groups: Group[] }>;
  update(caller: Caller, payload: CommandPayload<'group:update'>): Answer;
  addMembers(caller: Caller, payload: CommandPayload<'group:add_members'>): Answer;
  removeMember(caller: Caller, payload: CommandPayload<'group:remove_member'>): Answer;
  leave(caller: Caller, payload: CommandPayload<'group:leave'>): Answer;
  setAdmin(caller: Caller, payload: CommandPayload<'group:set_admin'>): Answer;
  /** Ends the group. */
  remove(caller: Caller, payload: CommandPayload<'group:delete'>): Answer;
}

/** A change that was decided on: carried out only where the guard still holds. */
interface Decision {
  guard: Filter<GroupDocument>;
  update: UpdateFilter<GroupDocument> | object[];
}

const includes = (ids: ObjectId[], id: ObjectId) => ids.some((one) => one.equals(id));
const hex = (id: ObjectId) => id.toHexString();

/** The update, which also makes the group's version the next one. */
function withNextVersion(update: Decision['update']): Decision['update'] {
  if (!Array.isArray(update)) return { ...update, $inc: { version: 1 } };
  return [...update, { $set: { version: { $add: [{ $ifNull: ['$version', 0] }, 1] } } }];
}

export function createGroups(options: GroupsOptions): Groups {
  const {
    collections,
    stays,
    rooms,
    accessMemory,
    store,
    bus,
    isBlocked,
    checkIcon,
    onRemoved,
    maxMembers,
    clock,
    log,
  } = options;
  const { groups, users, conversations } = collections;

  async function find(caller: Caller, groupId: ObjectId): Promise<GroupDocument> {
    const group = await groups.findOne({ _id: groupId, members: caller.userId, is_active: true });
    if (!group) throw notFound('no such group');
    return group;
  }

  async function findAsAdmin(caller: Caller, groupId: ObjectId): Promise<GroupDocument> {
    const group = await find(caller, groupId);
    if (!includes(group.admins, caller.userId)) throw forbidden('only admins of the group do this');
    return group;
  }

  /** Looks, decides and changes until it is changed, refused, or there is nothing to change. */
  async function change(
    look: () => Promise<GroupDocument>,
    decide: (group: GroupDocument) => Decision | undefined | Promise<Decision | undefined>,
  ): Promise<{ group: GroupDocument; changed: boolean }> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const group = await look();
      const decision = await decide(group);
      if (!decision) return { group, changed: false };
      const changed = await groups.findOneAndUpdate(
        { _id: group._id, is_active: true, ...decision.guard },
        withNextVersion(decision.update),
        { returnDocument: 'after' },
      );
      if (changed) return { group: changed, changed: true };
    }
    throw unavailable('the group is too busy; try again');
  }

  interface News {
    reason: GroupReason;
    userIds?: string[];
    /** Users who are told by themselves, whether they are in the group (on every node already) or not. */
    directly?: string[];
  }

  function tell(caller: Caller, document: GroupDocument, { reason, userIds, directly = [] }: News): void {
    const group = toWireGroup(document);
    const news = { group, reason, actor_id: caller.id, ...(userIds ? { user_ids: userIds } : {}) };
    const socket = caller.socketId;
    const state = stateOf('group', document._id, document.version);
    bus.emit({ group: group._id }, 'group:updated', news, { socket, users: directly }, state);
    if (directly.length > 0) bus.emit({ users: directly }, 'group:updated', news, { socket }, state);
  }

  /** @throws ContractError `not_found` for unknown or deactivated users, `forbidden` for a block between them and the caller */
  async function assertCanBeAdded(caller: Caller, added: ObjectId[]): Promise<void> {
    const [found, blocks] = await Promise.all([
      users.countDocuments({ _id: { $in: added }, is_active: true }),
      Promise.all(added.map((user) => isBlocked(caller.id, hex(user)))),
    ]);
    if (found < added.length) throw notFound('no such user');
    if (blocks.includes(true)) throw forbidden('nothing passes between the two of you');
  }

  /** Whose accounts are deactivated: a role that only they have is nobody's. */
  async function deactivatedAmong(ids: ObjectId[]): Promise<ObjectId[]> {
    const found = await users.find({ _id: { $in: ids }, is_active: false }, { projection: { _id: 1 } }).toArray();
    return found.map(({ _id }) => _id);
  }

  /** What follows a change that is made: it is not undone when the store goes away now, so nothing of it is thrown. */
  async function afterwards(group: GroupDocument, work: Promise<void>[]): Promise<void> {
    for (const done of await Promise.allSettled(work)) {
      if (done.status === 'rejected')
        log.warn({ err: done.reason, group_id: group._id }, 'a group change is not followed up');
    }
  }

  async function end(group: GroupDocument, gone: ObjectId[], at: Date): Promise<void> {
    const groupId = hex(group._id);
    const userIds = gone.map(hex);
    const followUp = [rooms.left(groupId, userIds), stays.close(group._id, gone, at)];
    onRemoved(userIds, groupId);
    await afterwards(group, followUp);
  }

  async function leave(caller: Caller, groupId: ObjectId): Answer {
    const at = clock();
    const { group } = await change(
      () => find(caller, groupId),
      async ({ members, admins }) => {
        const isAdmin = includes(admins, caller.userId);
        const gone = isAdmin ? await deactivatedAmong(members) : [];
        return {
          guard: { members: caller.userId, admins: isAdmin ? caller.userId : { $ne: caller.userId } },
          update: withoutMember(caller.userId, at, gone),
        };
      },
    );
    tell(caller, group, { reason: 'member_left', userIds: [caller.id], directly: [caller.id] });
    await end(group, [caller.userId], at);
    return { group: toWireGroup(group) };
  }

  /** Carries out a change of who is in a group, or admin of it. */
  const changing = (groupId: string, work: () => Answer) => accessMemory.changing(groupId, work);

  return {
    async create(caller, { name, description = null, icon = null, member_ids }) {
      const others = [...new Set(member_ids)].filter((id) => id !== caller.id).map(fromId);
      if (others.length + 1 > maxMembers) throw invalid('member_ids', `must NOT make more than ${maxMembers} members`);
      await Promise.all([others.length > 0 && assertCanBeAdded(caller, others), icon && checkIcon(caller.id, icon)]);
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
      const groupId = hex(group._id);
      await Promise.all([
        stays.open(group._id, group.members, 0),
        conversations.insertOne({
          _id: groupId,
          kind: 'group',
          group_id: group._id,
          last_seq: 0,
          rev: 0,
          activity_at: now,
          changed_at: now,
          created_at: now,
        }),
      ]);
      // Last: what was written before belongs to no group, and nobody sees it, until this is there.
      await groups.insertOne(group);
      const members = group.members.map(hex);
      const followUp = [rooms.joined(groupId, members, 0)];
      tell(caller, group, { reason: 'created', directly: members });
      await afterwards(group, followUp);
      return { group: toWireGroup(group) };
    },

    async get(caller, { group_id }) {
      return { group: toWireGroup(await find(caller, fromId(group_id))) };
    },

    async list(caller) {
      const found = await groups.find({ members: caller.userId, is_active: true }).toArray();
      return { groups: found.map(toWireGroup) };
    },

    async update(caller, { group_id, ...wanted }) {
      const groupId = fromId(group_id);
      const { group, changed } = await change(
        () => findAsAdmin(caller, groupId),
        async (current) => {
          const news = Object.entries(wanted).filter(
            ([field, value]) => current[field as keyof typeof wanted] !== value,
          );
          if (news.length === 0) return undefined;
          if (wanted.icon && wanted.icon !== current.icon) await checkIcon(caller.id, wanted.icon);
          return {
            guard: { admins: caller.userId },
            update: { $set: Object.fromEntries(news), $max: { updated_at: clock() } },
          };
        },
      );
      if (changed) tell(caller, group, { reason: 'updated' });
      return { group: toWireGroup(group) };
    },

    addMembers: (caller, { group_id, user_ids }) =>
      changing(group_id, async () => {
        const groupId = fromId(group_id);
        const wanted = [...new Set(user_ids)].map(fromId);
        let added: ObjectId[] = [];
        let fromSeq = 0;
        const { group, changed } = await change(
          () => findAsAdmin(caller, groupId),
          async ({ members }) => {
            const present = new Set(members.map(hex));
            added = wanted.filter((user) => !present.has(hex(user)));
            if (added.length === 0) return undefined;
            if (members.length + added.length > maxMembers) {
              throw invalid('user_ids', `must NOT make more than ${maxMembers} members`);
            }
            await assertCanBeAdded(caller, added);
            fromSeq = (await store.newest(groupRef(group_id))).seq;
            // Before the group lets them in: a stay of earlier must not open what was sent while they were away.
            await stays.open(groupId, added, fromSeq);
            return {
              guard: {
                admins: caller.userId,
                members: { $nin: added },
                // No more members than leave room for all who are added.
                [`members.${maxMembers - added.length}`]: { $exists: false },
              },
              update: { $push: { members: { $each: added } }, $max: { updated_at: clock() } },
            };
          },
        );
        if (changed) {
          const userIds = added.map(hex);
          const followUp = [rooms.joined(group_id, userIds, fromSeq)];
          tell(caller, group, { reason: 'members_added', userIds, directly: userIds });
          await afterwards(group, followUp);
        }
        return { group: toWireGroup(group) };
      }),

    removeMember: (caller, { group_id, user_id }) =>
      changing(group_id, async () => {
        const groupId = fromId(group_id);
        const user = fromId(user_id);
        if (user_id === caller.id) {
          await findAsAdmin(caller, groupId);
          return leave(caller, groupId);
        }
        const at = clock();
        const { group } = await change(
          () => findAsAdmin(caller, groupId),
          ({ members }) => {
            if (!includes(members, user)) throw notFound('no such member');
            return {
              guard: { admins: caller.userId, members: user },
              update: { $pull: { members: user, admins: user }, $max: { updated_at: at } },
            };
          },
        );
        tell(caller, group, { reason: 'member_removed', userIds: [user_id], directly: [user_id] });
        await end(group, [user], at);
        return { group: toWireGroup(group) };
      }),

    leave: (caller, { group_id }) => changing(group_id, () => leave(caller, fromId(group_id))),

    setAdmin: (caller, { group_id, user_id, is_admin }) =>
      changing(group_id, async () => {
        const groupId = fromId(group_id);
        const user = fromId(user_id);
        const { group, changed } = await change(
          () => findAsAdmin(caller, groupId),
          async ({ members, admins }) => {
            if (!includes(members, user)) throw notFound('no such member');
            if (includes(admins, user) === is_admin) return undefined;
            const $max = { updated_at: clock() };
            if (is_admin) {
              const guard = { members: user, $and: [{ admins: caller.userId }, { admins: { $ne: user } }] };
              return { guard, update: { $push: { admins: user }, $max } };
            }
            const without = [user, ...(await deactivatedAmong(admins))];
            if (admins.every((admin) => includes(without, admin))) throw conflict('a group needs an admin');
            const guard = { admins: { $all: [caller.userId, user], $elemMatch: { $nin: without } } };
            return { guard, update: { $pull: { admins: user }, $max } };
          },
        );
        if (changed) tell(caller, group, { reason: 'admins_changed', userIds: [user_id] });
        return { group: toWireGroup(group) };
      }),

    remove: (caller, { group_id }) =>
      changing(group_id, async () => {
        const groupId = fromId(group_id);
        const at = clock();
        const { group } = await change(
          () => find(caller, groupId),
          ({ creator_id }) => {
            if (!creator_id.equals(caller.userId)) throw forbidden('only its creator ends a group');
            return {
              guard: { members: caller.userId },
              update: { $set: { is_active: false }, $max: { updated_at: at } },
            };
          },
        );
        tell(caller, group, { reason: 'deleted', directly: group.members.map(hex) });
        await end(group, group.members, at);
        return { group: toWireGroup(group) };
      }),
  };
}
