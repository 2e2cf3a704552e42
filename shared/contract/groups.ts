import Type, { type TOptional } from 'typebox';
import { command, event, FULL_PAGE, listOf } from './define.ts';
import { GROUP_ACTIONS, Group, type GroupAction, Permitted } from './documents.ts';
import { ANN, BOB, GROUP, group } from './examples.ts';
import { Closed, DisplayName, Empty, Id, Metadata, Nullable, OneOf } from './values.ts';

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
  'group:delete': command({
    summary: 'Ends the group (creator).',
    payload: OfGroup,
    data: Changed,
    errors: ['forbidden', 'not_found'],
    example: { payload: { group_id: GROUP }, data: { group: { ...group, is_active: false } } },
  }),
};

export const groupEvents = {
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
