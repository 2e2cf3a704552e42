/** The account itself, and what a user keeps in it. */
import { toWire } from '../model/codec.ts';
import { wireMetadata } from '../model/metadata.ts';
import { mapped, type Part } from './part.ts';

const profile: Part = {
  name: 'profile',
  holds: 'the account: names, address, picture, settings',
  read: ({ user_id, collections: { users } }) =>
    mapped(users.find({ _id: user_id }), (user) => ({
      ...toWire({
        _id: user._id,
        username: user.username,
        email: user.email,
        full_name: user.full_name,
        profile_picture: user.profile_picture,
        bio: user.bio,
        settings: user.settings,
        created_at: user.created_at,
        updated_at: user.updated_at,
        last_seen: user.last_seen,
        last_password_change: user.last_password_change,
        is_active: user.is_active,
        deactivated_at: user.deactivated_at,
        external_id: user.external_id,
      }),
      ...wireMetadata(user.metadata),
    })),
};

const presence: Part = {
  name: 'presence',
  holds: 'the status that others see',
  read: ({ user_id, collections }) =>
    mapped(collections.presence.find({ _id: user_id }), ({ status, last_active, custom_status, device_info }) =>
      toWire({ status, last_active, custom_status, device_info }),
    ),
};

const sessions: Part = {
  name: 'sessions',
  holds: 'sign-ins that are not over for more than a day, without their tokens',
  read: ({ user_id, collections }) =>
    mapped(collections.sessions.find({ user_id }), (session) =>
      toWire({
        session_id: session._id,
        device_info: session.device_info,
        created_at: session.created_at,
        last_used_at: session.last_used_at,
        expires_at: session.expires_at,
        revoked_at: session.revoked_at,
      }),
    ),
};

const pushSubscriptions: Part = {
  name: 'push-subscriptions',
  holds: 'devices that are notified, without their addresses and keys, which are secrets',
  read: ({ user_id, collections }) =>
    mapped(collections.push_subscriptions.find({ user_id }), ({ _id, provider, session_id, created_at }) =>
      toWire({ subscription_id: _id, provider, session_id, created_at }),
    ),
};

const contacts: Part = {
  name: 'contacts',
  holds: 'contacts, requests and blocked users, with notes',
  read: ({ user_id, collections }) =>
    mapped(collections.contacts.find({ user_id }), (contact) =>
      toWire({
        contact_id: contact.contact_id,
        status: contact.status,
        direction: contact.direction,
        created_at: contact.created_at,
        updated_at: contact.updated_at,
        notes: contact.notes,
        is_favorite: contact.is_favorite,
      }),
    ),
};

const memberships: Part = {
  name: 'conversations',
  holds: 'conversations with their personal settings and how far they were read; left groups too',
  read: ({ user_id, collections }) =>
    mapped(collections.memberships.find({ user_id }), (membership) =>
      toWire({
        conversation_id: membership.conversation_id,
        kind: membership.kind,
        group_id: membership.group_id,
        peer_id: membership.peer_id,
        joined_at: membership.joined_at,
        left_at: membership.left_at,
        delivered_seq: membership.delivered_seq,
        read_seq: membership.read_seq,
        muted_until: membership.muted_until,
        pinned: membership.pinned,
        archived: membership.archived,
      }),
    ),
};

const groups: Part = {
  name: 'groups',
  holds: 'groups that the user is in, and invitations to them that the user made, without their codes',
  read: ({ user_id, collections }) =>
    mapped(collections.groups.find({ members: user_id }), (group) =>
      toWire({
        group_id: group._id,
        name: group.name,
        description: group.description,
        icon: group.icon,
        is_creator: group.creator_id.equals(user_id),
        is_admin: group.admins.some((admin) => admin.equals(user_id)),
        created_at: group.created_at,
        is_active: group.is_active,
        invitations: Object.values(group.invites ?? {})
          .filter(({ created_by }) => created_by.equals(user_id))
          .map(({ created_at, expires_at, uses }) => ({ created_at, expires_at, uses })),
      }),
    ),
};

const joinRequests: Part = {
  name: 'join-requests',
  holds: 'groups that the user has asked to join',
  read: ({ user_id, collections }) =>
    mapped(collections.join_requests.find({ user_id }), ({ group_id, at }) => toWire({ group_id, at })),
};

export const ACCOUNT_PARTS: readonly Part[] = [
  profile,
  presence,
  sessions,
  pushSubscriptions,
  contacts,
  memberships,
  groups,
  joinRequests,
];
