import Type from 'typebox';
import { command, event } from './define.ts';
import { Group } from './documents.ts';
import { Closed, Empty, Id, Nullable, OneOf } from './values.ts';

const Name = Type.String({ minLength: 1, maxLength: 100 });
const Description = Nullable(Type.String({ maxLength: 1000 }));
const Icon = Nullable(Id);
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
  'group:create': command(
    'Makes a group; the creator is its first member and admin.',
    Closed({ name: Name, description: Type.Optional(Description), icon: Type.Optional(Icon), member_ids: UserIds }),
    Changed,
  ),
  'group:get': command('One group of the caller.', OfGroup, Changed),
  'group:list': command("The caller's groups.", Empty, Type.Object({ groups: Type.Array(Group) })),
  'group:update': command(
    'Changes name, description or icon (admin).',
    Closed({
      group_id: Id,
      name: Type.Optional(Name),
      description: Type.Optional(Description),
      icon: Type.Optional(Icon),
    }),
    Changed,
  ),
  'group:add_members': command(
    'Adds members (admin).',
    Closed({ group_id: Id, user_ids: Type.Array(Id, { minItems: 1, maxItems: 8192 }) }),
    Changed,
  ),
  'group:remove_member': command('Removes a member (admin).', Closed({ group_id: Id, user_id: Id }), Changed),
  'group:leave': command('Leaves; the last admin hands over to the longest-standing member.', OfGroup, Changed),
  'group:set_admin': command(
    'Gives or takes the role of admin (admin).',
    Closed({ group_id: Id, user_id: Id, is_admin: Type.Boolean() }),
    Changed,
  ),
  'group:delete': command('Ends the group (creator).', OfGroup, Changed),
};

export const groupEvents = {
  'group:updated': event(
    'A group was made, changed or ended, or its members changed.',
    Type.Object({
      group: Group,
      reason: OneOf(GROUP_REASONS),
      actor_id: Id,
      user_ids: Type.Optional(Type.Array(Id)),
    }),
  ),
};
