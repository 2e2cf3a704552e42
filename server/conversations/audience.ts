/** Who is concerned by an event. Code that addresses anyone but the acting user asks here. */
import type { Address } from '../bus/operations.ts';
import { batched } from '../lib/group-commit.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { Settings } from '../model/documents/accounts.ts';
import type { LookupCache } from './lookup-cache.ts';

export interface Audience {
  /** A user's accepted contacts: they see the user's presence and hear of profile changes. */
  contactsOf(userId: string): Promise<string[]>;
  /** Whether each of the users is an accepted contact of a user, in the order asked. */
  areContacts(userId: string, others: string[]): Promise<boolean[]>;
  /** Whether the viewer sees the presence of each user, in the order asked: one's own, and that of accepted contacts. */
  seesPresence(viewerId: string, userIds: string[]): Promise<boolean[]>;
  /** The ids of the two users of a pair, or of a group's members. Cached: not to be changed. */
  membersOf(conversation: ConversationRef): Promise<ReadonlySet<string>>;
  /** The members of each group by its id. Groups that are deleted are left out. */
  membersOfGroups(groupIds: string[]): Promise<Map<string, string[]>>;
  /** Those of the users who have switched a setting off. Cached. */
  switchedOff(userIds: Iterable<string>, setting: keyof Settings): Promise<string[]>;
  /**
   * Who must not see that a user types. Members with typing indicators switched off see nobody type and are not seen;
   * where that leaves nobody, the answer is `everyone`.
   */
  typingHiddenFrom(userId: string, conversation: ConversationRef): Promise<string[] | 'everyone'>;
}

/** Addresses everyone else in a conversation. In a group that includes the user: except them from the event. */
export function othersIn(conversation: ConversationRef, userId: string): Address {
  return conversation.kind === 'group'
    ? { group: conversation.group_id }
    : { users: conversation.user_ids.filter((id) => id !== userId) };
}

/** How many users' settings are asked for at once: a whole group's. */
const MOST_SETTINGS = 2000;

export function createAudience(
  { users, groups, contacts }: Pick<Collections, 'users' | 'groups' | 'contacts'>,
  lookups: Pick<LookupCache, 'recall'>,
): Audience {
  const contactsOf = batched('contacts', async (userIds: readonly string[]) => {
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

  async function membersOf(conversation: ConversationRef): Promise<ReadonlySet<string>> {
    if (conversation.kind === 'direct') return new Set(conversation.user_ids);
    const members = await lookups.recall<ReadonlySet<string>>(conversation.id, 'members', async () => {
      const group = await groups.findOne({ _id: fromId(conversation.group_id) }, { projection: { members: 1 } });
      return new Set(group?.members.map((member) => member.toHexString()));
    });
    return members!;
  }

  /** Few switch a setting off: the query reads these alone, by an index of their own. */
  const isOffFor = (setting: keyof Settings) =>
    batched(
      `settings ${setting}`,
      async (userIds: readonly string[]) => {
        const found = await users
          .find({ _id: { $in: userIds.map(fromId) }, [`settings.${setting}`]: false }, { projection: { _id: 1 } })
          .toArray();
        const off = new Set(found.map(({ _id }) => _id.toHexString()));
        return userIds.map((userId) => off.has(userId));
      },
      { most: MOST_SETTINGS },
    );
  const isOff: Record<keyof Settings, (userId: string) => Promise<boolean>> = {
    notifications_enabled: isOffFor('notifications_enabled'),
    read_receipts_enabled: isOffFor('read_receipts_enabled'),
    typing_indicators_enabled: isOffFor('typing_indicators_enabled'),
  };

  async function switchedOff(userIds: Iterable<string>, setting: keyof Settings): Promise<string[]> {
    const ids = [...userIds];
    const off = await Promise.all(ids.map((id) => lookups.recall(id, setting, () => isOff[setting](id))));
    return ids.filter((_, i) => off[i]);
  }

  async function areContacts(userId: string, others: string[]): Promise<boolean[]> {
    const found = await contacts
      .find(
        { user_id: fromId(userId), contact_id: { $in: others.map(fromId) }, status: 'accepted' },
        { projection: { _id: 0, contact_id: 1 }, batchSize: others.length + 1 },
      )
      .toArray();
    const accepted = new Set(found.map((contact) => contact.contact_id.toHexString()));
    return others.map((id) => accepted.has(id));
  }

  return {
    contactsOf,
    areContacts,
    membersOf,
    switchedOff,
    async seesPresence(viewerId, userIds) {
      const accepted = await areContacts(viewerId, userIds);
      return userIds.map((id, i) => id === viewerId || accepted[i]!);
    },
    async membersOfGroups(groupIds) {
      if (groupIds.length === 0) return new Map();
      const found = await groups
        .find({ _id: { $in: groupIds.map(fromId) }, is_active: true }, { projection: { members: 1 } })
        .toArray();
      return new Map(found.map(({ _id, members }) => [_id.toHexString(), members.map((id) => id.toHexString())]));
    },
    async typingHiddenFrom(userId, conversation) {
      const off = await switchedOff(await membersOf(conversation), 'typing_indicators_enabled');
      const isPairWithout = conversation.kind === 'direct' && off.length > 0;
      return isPairWithout || off.includes(userId) ? 'everyone' : off;
    },
  };
}
