/** Who is concerned by an event: everything that addresses more than its own user goes by this file. */
import type { ObjectId } from 'mongodb';
import type { Address } from '../bus/operations.ts';
import { batched } from '../lib/group-commit.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { Settings } from '../model/documents/accounts.ts';

export interface Audience {
  /** The accepted contacts of a user: who sees the presence and hears of profile changes. */
  contactsOf(userId: string): Promise<string[]>;
  /** Whether the viewer sees the presence of each user, in the order asked: one's own, and that of accepted contacts. */
  seesPresence(viewerId: string, userIds: string[]): Promise<boolean[]>;
  /** The two of a pair, or a group's members. */
  membersOf(conversation: ConversationRef): Promise<ObjectId[]>;
  /** The members of each group by its id. Groups that are deleted are left out. */
  membersOfGroups(groupIds: string[]): Promise<Map<string, string[]>>;
  /** Those of the users who have switched a setting off. */
  switchedOff(userIds: ObjectId[], setting: keyof Settings): Promise<string[]>;
}

/** The address of everyone in a conversation but one: of a group, leave the user out by the event's exceptions. */
export function othersIn(conversation: ConversationRef, userId: string): Address {
  return conversation.kind === 'group'
    ? { group: conversation.group_id }
    : { users: conversation.user_ids.filter((id) => id !== userId) };
}

export function createAudience({
  users,
  groups,
  contacts,
}: Pick<Collections, 'users' | 'groups' | 'contacts'>): Audience {
  const contactsOf = batched(async (userIds: readonly string[]) => {
    const found = await contacts
      .find(
        { contact_id: { $in: [...new Set(userIds)].map(fromId) }, status: 'accepted' },
        { projection: { _id: 0, contact_id: 1, user_id: 1 } },
      )
      .toArray();
    const byUser = new Map(userIds.map((userId) => [userId, [] as string[]]));
    for (const { contact_id, user_id } of found) byUser.get(contact_id.toHexString())?.push(user_id.toHexString());
    return userIds.map((userId) => byUser.get(userId)!);
  });

  return {
    contactsOf,
    async seesPresence(viewerId, userIds) {
      const found = await contacts
        .find(
          { user_id: fromId(viewerId), contact_id: { $in: userIds.map(fromId) }, status: 'accepted' },
          { projection: { _id: 0, contact_id: 1 } },
        )
        .toArray();
      const accepted = new Set(found.map((contact) => contact.contact_id.toHexString()));
      return userIds.map((id) => id === viewerId || accepted.has(id));
    },
    async membersOf(conversation) {
      if (conversation.kind === 'direct') return conversation.user_ids.map(fromId);
      const group = await groups.findOne({ _id: fromId(conversation.group_id) }, { projection: { members: 1 } });
      return group?.members ?? [];
    },
    async membersOfGroups(groupIds) {
      if (groupIds.length === 0) return new Map();
      const found = await groups
        .find({ _id: { $in: groupIds.map(fromId) }, is_active: true }, { projection: { members: 1 } })
        .toArray();
      return new Map(found.map(({ _id, members }) => [_id.toHexString(), members.map((id) => id.toHexString())]));
    },
    async switchedOff(userIds, setting) {
      const found = await users
        .find({ _id: { $in: userIds }, [`settings.${setting}`]: false }, { projection: { _id: 1 } })
        .toArray();
      return found.map(({ _id }) => _id.toHexString());
    },
  };
}
