/** Erasing a user's contacts: each is removed on both sides, as by `contact:remove`. Only the blocks of others stay. */
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { PairDocuments } from './pair-documents.ts';

/** Repeatable: it goes by the documents that are left. */
export function createEraseContacts(
  { contacts }: Pick<Collections, 'contacts'>,
  pairs: Pick<PairDocuments, 'carryOut'>,
): (userId: string) => Promise<void> {
  return async (userId) => {
    const user = fromId(userId);
    // Those of others first: a request that is left alone would be delivered again.
    const ofOthers = { contact_id: user, status: { $in: ['pending' as const, 'accepted' as const] } };
    for await (const contact of contacts.find(ofOthers)) await pairs.carryOut({ kind: 'remove', contact });
    for await (const contact of contacts.find({ user_id: user })) await pairs.carryOut({ kind: 'remove', contact });
  };
}
