import type { ConversationDocument } from '../model/documents/conversations.ts';
import type { GroupDocument } from '../model/documents/groups.ts';

/** The summary of a group in which nothing was written yet. */
export function emptyGroupSummary({
  _id,
  created_at,
}: Pick<GroupDocument, '_id' | 'created_at'>): ConversationDocument {
  return {
    _id: _id.toHexString(),
    kind: 'group',
    group_id: _id,
    last_seq: 0,
    rev: 0,
    activity_at: created_at,
    changed_at: created_at,
    created_at,
  };
}
