import type { CommandPayload } from '../../shared/contract/index.ts';
import type { Handler } from '../dispatch/handlers.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import { storedMetadata } from '../model/metadata.ts';
import { permissionsOf, stillPermitted } from '../model/permissions.ts';
import { toWireGroup } from '../model/views/group.ts';
import type { OutboxSource } from '../outbox/outbox.ts';
import type { AnnounceGroup } from './announcement.ts';
import { changeGroup } from './change.ts';
import { findGroupAsAdmin, findGroupPermitting } from './find-group.ts';

export interface UpdateGroupOptions {
  outbox: OutboxSource<GroupDocument>;
  collections: Pick<Collections, 'groups'>;
  announce: AnnounceGroup;
  /** Whether the user may make this upload an icon; throws if not. */
  checkIcon(userId: string, mediaId: string): Promise<void>;
  clock(): Date;
}

type Wanted = Omit<CommandPayload<'group:update'>, 'group_id'>;

/**
 * `group:update`: changes the fields that differ, and tells nobody if none does. Permissions and slow mode are the admins'
 * business, whoever may edit the rest.
 */
export function createUpdateGroup(options: UpdateGroupOptions): Handler<'group:update'> {
  const { outbox, announce, checkIcon, clock } = options;
  const { groups } = options.collections;

  return async (caller, { group_id, ...wanted }) => {
    const groupId = fromId(group_id);
    const isForAdmins = wanted.permissions !== undefined || wanted.slow_mode_s !== undefined;
    const { group, changed } = await changeGroup(
      outbox,
      () =>
        isForAdmins
          ? findGroupAsAdmin(groups, caller, groupId)
          : findGroupPermitting(groups, caller, groupId, 'edit_info'),
      async (current) => {
        const news = differences(current, wanted);
        if (news.length === 0) return undefined;
        if (wanted.icon && wanted.icon !== current.icon) await checkIcon(caller.id, wanted.icon);
        const gone = news.flatMap(([path, value]) => (value === undefined ? [[path, true]] : []));
        return {
          guard: isForAdmins ? { admins: caller.userId } : stillPermitted(current, caller.userId, 'edit_info'),
          update: {
            $set: Object.fromEntries(news.filter(([, value]) => value !== undefined)),
            ...(gone.length === 0 ? {} : { $unset: Object.fromEntries(gone) }),
            $max: { updated_at: clock() },
          },
          news: { reason: 'updated', actor_id: caller.userId },
        };
      },
    );
    if (!changed) return { group: toWireGroup(group) };
    return { group: announce(caller, group, { reason: 'updated' }) };
  };
}

/**
 * What is to be changed: paths with their values, undefined for what is removed. Each permission is a path of its own,
 * so that two who change different ones both succeed.
 */
function differences(current: GroupDocument, { permissions = {}, metadata, ...plain }: Wanted): [string, unknown][] {
  const known = { ...current, slow_mode_s: current.slow_mode_s ?? 0 };
  const permitted: Record<string, unknown> = permissionsOf(current);
  const data = metadata === undefined ? current.metadata : storedMetadata(metadata);
  return [
    ...Object.entries(plain).filter(([field, value]) => known[field as keyof typeof plain] !== value),
    ...Object.entries(permissions).flatMap(([action, value]): [string, unknown][] =>
      permitted[action] === value ? [] : [[`permissions.${action}`, value]],
    ),
    ...(data === current.metadata ? [] : [['metadata', data] as [string, unknown]]),
  ];
}
