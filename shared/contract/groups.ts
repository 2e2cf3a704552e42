import Type, { type TOptional } from 'typebox';
import { command, event, FULL_PAGE, listOf, pageOf } from './define.ts';
import { GROUP_ACTIONS, Group, type GroupAction, Invite, Permitted, PublicUser } from './documents.ts';
import { ANN, BOB, bob, GROUP, group, invite, SENT } from './examples.ts';
import { Closed, DisplayName, Empty, Id, Limit, Metadata, Nullable, OneOf, Timestamp } from './values.ts';

const Name = DisplayName(100, 1);
const Description = Nullable(Type.String({ maxLength: 1000 }));
const Icon = Nullable(Id);
/** Any of them; the others stay as they are, or as they are by default. */
const SomePermissions = Closed(
  Object.fromEntries(GROUP_ACTIONS.map((action) => [action, Type.Optional(Permitted)])) as Record<
    GroupAction,
    TOptional<typeof Permitted>
  >,
);
const SlowMode = Type.Integer({ minimum: 0, maximum: 86_400 });
const Changed = Type.Object({ group: Group });
const OfGroup = Closed({ group_id: Id });
const WithCode = Closed({ code: Type.String({ minLength: 1, maxLength: 128 }) });
/** Bounds the frame; how many members a group may have is a setting (`GROUP_MAX_MEMBERS`). */
const UserIds = Type.Array(Id, { maxItems: 8192 });

export const GROUP_REASONS = [
  'created',
  'updated',
  'members_added',
  'member_removed',
  'member_left',
  'admins_changed',
  'deleted',
] as const;
export type GroupReason = (typeof GROUP_REASONS)[number];

export const groupCommands = {
  'group:create': command({
    summary: 'Makes a group; the creator is its first member and admin. Idempotent by `client_group_id`.',
    payload: Closed({
      name: Name,
      description: Type.Optional(Description),
      icon: Type.Optional(Icon),
      metadata: Type.Optional(Metadata),
      permissions: Type.Optional(SomePermissions),
      slow_mode_s: Type.Optional(SlowMode),
      member_ids: UserIds,
      client_group_id: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    }),
    data: Type.Object({ group: Group, duplicate: Type.Optional(Type.Literal(true)) }),
    rate: 'new_group',
    draws: { list: 'group_addition', of: 'member_ids' },
    cost: listOf('member_ids', 400),
    errors: ['forbidden', 'not_found', 'conflict'],
    example: {
      payload: { name: group.name, description: group.description, member_ids: [BOB], client_group_id: 'phone-0002' },
      data: { group },
    },
  }),
  'group:get': command({
    summary: 'One group of the caller.',
    payload: OfGroup,
    data: Changed,
    errors: ['not_found'],
    example: { payload: { group_id: GROUP }, data: { group } },
  }),
  'group:list': command({
    summary: "The caller's groups.",
    payload: Empty,
    data: Type.Object({ groups: Type.Array(Group) }),
    cost: FULL_PAGE,
    example: { payload: {}, data: { groups: [group] } },
  }),
  'group:update': command({
    summary: 'Changes name, description, icon or metadata (who may edit them), permissions or slow mode (admin).',
    payload: Closed({
      group_id: Id,
      name: Type.Optional(Name),
      description: Type.Optional(Description),
      icon: Type.Optional(Icon),
      metadata: Type.Optional(Metadata),
      permissions: Type.Optional(SomePermissions),
      slow_mode_s: Type.Optional(SlowMode),
    }),
    data: Changed,
    errors: ['forbidden', 'not_found'],
    example: { payload: { group_id: GROUP, name: group.name }, data: { group } },
  }),
  'group:add_members': command({
    summary: 'Adds members (who may add them).',
    payload: Closed({ group_id: Id, user_ids: Type.Array(Id, { minItems: 1, maxItems: 8192 }) }),
    data: Changed,
    draws: { list: 'group_addition', of: 'user_ids' },
    cost: listOf('user_ids', 400),
    errors: ['forbidden', 'not_found', 'conflict'],
    example: { payload: { group_id: GROUP, user_ids: [BOB] }, data: { group } },
  }),
  'group:remove_member': command({
    summary: 'Removes a member (admin).',
    payload: Closed({ group_id: Id, user_id: Id }),
    data: Changed,
    errors: ['forbidden', 'not_found'],
    example: { payload: { group_id: GROUP, user_id: BOB }, data: { group: { ...group, members: [ANN] } } },
  }),
  'group:leave': command({
    summary: 'Leaves; the last admin hands over to the longest-standing member.',
    payload: OfGroup,
    data: Changed,
    errors: ['not_found'],
    example: { payload: { group_id: GROUP }, data: { group: { ...group, members: [ANN] } } },
  }),
  'group:set_admin': command({
    summary: 'Gives or takes the role of admin (admin).',
    payload: Closed({ group_id: Id, user_id: Id, is_admin: Type.Boolean() }),
    data: Changed,
    errors: ['forbidden', 'not_found', 'conflict'],
    example: {
      payload: { group_id: GROUP, user_id: BOB, is_admin: true },
      data: { group: { ...group, admins: [ANN, BOB] } },
    },
  }),
  'group:invite': command({
    summary: 'Makes an invitation (who may add members).',
    payload: Closed({
      group_id: Id,
      expires_in_s: Type.Optional(Type.Integer({ minimum: 60, maximum: 31_536_000 })),
      max_uses: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
      approval: Type.Optional(Type.Literal(true)),
    }),
    data: Type.Object({ invite: Invite }),
    errors: ['forbidden', 'not_found', 'conflict'],
    example: { payload: { group_id: GROUP, max_uses: 5 }, data: { invite } },
  }),
  'group:invites': command({
    summary: 'The open invitations of a group, with their codes (who may add members).',
    payload: OfGroup,
    data: Type.Object({ invites: Type.Array(Invite) }),
    errors: ['forbidden', 'not_found'],
    example: { payload: { group_id: GROUP }, data: { invites: [invite] } },
  }),
  'group:revoke_invite': command({
    summary: 'Ends an invitation (who may add members).',
    payload: Closed({ invite_id: Id }),
    data: Empty,
    errors: ['forbidden', 'not_found'],
    example: { payload: { invite_id: invite.invite_id }, data: {} },
  }),
  'group:preview': command({
    summary: 'What a group looks like to somebody who has an invitation.',
    payload: WithCode,
    data: Type.Object({
      group: Type.Object({
        _id: Id,
        name: Type.String(),
        description: Type.Optional(Type.String()),
        icon: Type.Optional(Id),
        member_count: Type.Integer({ minimum: 0 }),
      }),
    }),
    rate: 'invite_code',
    errors: ['not_found'],
    example: {
      payload: { code: invite.code },
      data: { group: { _id: GROUP, name: group.name, description: group.description!, member_count: 2 } },
    },
  }),
  'group:join': command({
    summary: 'Joins by an invitation, or asks to where it says so.',
    payload: WithCode,
    data: Type.Union([Changed, Type.Object({ requested: Type.Literal(true) })]),
    rate: 'invite_code',
    errors: ['not_found', 'conflict'],
    example: { payload: { code: invite.code }, data: { group } },
  }),
  'group:requests': command({
    summary: 'Who asks to join, oldest first (who may add members).',
    payload: Closed({
      group_id: Id,
      limit: Limit(100),
      cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    }),
    data: Type.Object({
      requests: Type.Array(Type.Object({ user: PublicUser, at: Timestamp })),
      cursor: Type.Optional(Type.String()),
    }),
    cost: pageOf(100, 50),
    errors: ['forbidden', 'not_found'],
    example: { payload: { group_id: GROUP }, data: { requests: [{ user: bob, at: SENT }] } },
  }),
  'group:decide': command({
    summary: 'Lets in, or turns down, who asked to join (who may add members).',
    payload: Closed({ group_id: Id, user_id: Id, accept: Type.Boolean() }),
    data: Changed,
    errors: ['forbidden', 'not_found', 'conflict'],
    example: { payload: { group_id: GROUP, user_id: BOB, accept: true }, data: { group } },
  }),
  'group:delete': command({
    summary: 'Ends the group (creator).',
    payload: OfGroup,
    data: Changed,
    errors: ['forbidden', 'not_found'],
    example: { payload: { group_id: GROUP }, data: { group: { ...group, is_active: false } } },
  }),
};

export const groupEvents = {
  'group:requested': event({
    summary: 'Somebody asks to join a group, told to those who may add members.',
    payload: Type.Object({ group_id: Id, user: PublicUser }),
    example: { group_id: GROUP, user: bob },
  }),
  'group:updated': event({
    summary: 'A group was made, changed or ended, or its members changed.',
    payload: Type.Object({
      group: Group,
      reason: OneOf(GROUP_REASONS),
      actor_id: Id,
      user_ids: Type.Optional(Type.Array(Id)),
    }),
    example: { group, reason: 'members_added', actor_id: ANN, user_ids: [BOB] },
  }),
};
