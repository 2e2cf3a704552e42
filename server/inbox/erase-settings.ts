import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';

/** Erases what a user set for conversations. Marks stay: others' receipts go by them. Repeatable. */
export function createEraseSettings({ memberships, drafts }: Pick<Collections, 'memberships' | 'drafts'>) {
  return async (userId: string): Promise<void> => {
    await memberships.updateMany(
      { user_id: fromId(userId) },
      { $unset: { muted_until: true, pinned: true, archived: true, draft_bytes: true } },
    );
    await drafts.deleteMany({ user_id: fromId(userId) });
  };
}
