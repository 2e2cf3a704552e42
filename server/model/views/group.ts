/** Groups as they leave the server. */
import type { Group } from '../../../shared/contract/documents.ts';
import { toWire } from '../codec.ts';
import type { GroupDocument } from '../documents/groups.ts';
import { wireMetadata } from '../metadata.ts';
import { permissionsOf } from '../permissions.ts';

/** The wire form of a group. */
export function toWireGroup(group: GroupDocument): Group {
  const { _id, name, description, icon, creator_id, members, admins, created_at, updated_at, is_active } = group;
  return {
    ...toWire({ _id, name, description, icon, creator_id, members, admins, created_at, updated_at, is_active }),
    permissions: permissionsOf(group),
    slow_mode_s: group.slow_mode_s ?? 0,
    ...wireMetadata(group.metadata),
  };
}
