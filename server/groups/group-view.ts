import type { Group } from '../../shared/contract/documents.ts';
import type { GroupDocument } from '../database/documents.ts';
import { toWire } from '../database/wire.ts';
import type { State } from '../fanout/operations.ts';

/** Which state of the group a document is. */
export function stateOf({ _id, version = 0 }: GroupDocument): State {
  return { of: `group ${_id}`, version };
}

/** The wire form of a group. */
export function toWireGroup(group: GroupDocument): Group {
  const { _id, name, description, icon, creator_id, members, admins, created_at, updated_at, is_active } = group;
  return toWire({ _id, name, description, icon, creator_id, members, admins, created_at, updated_at, is_active });
}
