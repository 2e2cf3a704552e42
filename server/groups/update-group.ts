import type { Handler } from '../dispatch/handlers.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import { storedMetadata } from '../model/metadata.ts';
import { toWireGroup } from '../model/views/group.ts';
import type { AnnounceGroup } from './announcement.ts';
import { changeGroup } from './change.ts';
import { findGroupAsAdmin } from './find-group.ts';

export interface UpdateGroupOptions {
  collections: Pick<Collections, 'groups'>;
  announce: AnnounceGroup;
  /** Whether the user may make this upload an icon; throws if not. */
  checkIcon(userId: string, mediaId: string): Promise<void>;
  clock(): Date;
}

/** `group:update`: changes the fields that differ, and tells nobody if none does. */
export function createUpdateGroup(options: UpdateGroupOptions): Handler<'group:update'> {
  const { announce, checkIcon, clock } = options;
  const { groups } = options.collections;

  return async (caller, { group_id, metadata, ...wanted }) => {
    const groupId = fromId(group_id);
    const { group, changed } = await changeGroup(
      groups,
      () => findGroupAsAdmin(groups, caller, groupId),
      async (current) => {
        const news = Object.entries(wanted).filter(([field, value]) => current[field as keyof typeof wanted] !== value);
        const data = metadata === undefined ? current.metadata : storedMetadata(metadata);
        if (news.length === 0 && data === current.metadata) return undefined;
        if (wanted.icon && wanted.icon !== current.icon) await checkIcon(caller.id, wanted.icon);
        return {
          guard: { admins: caller.userId },
          update: {
            $set: { ...Object.fromEntries(news), ...(data === undefined ? {} : { metadata: data }) },
            ...(data === undefined ? { $unset: { metadata: true } } : {}),
            $max: { updated_at: clock() },
          },
        };
      },
    );
    if (!changed) return { group: toWireGroup(group) };
    return { group: announce(caller, group, { reason: 'updated' }) };
  };
}
