/** `contact:block` and `contact:unblock`. */
import type { LookupCache } from '../conversations/lookup-cache.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import { invalid, notFound } from '../lib/errors.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import { pairId } from '../model/conversation-ref.ts';
import type { ContactAnnouncements } from './announcements.ts';
import { untilDone } from './attempts.ts';
import { answerWith } from './contact-view.ts';
import type { PairDocuments } from './pair-documents.ts';
import type { Reconcile } from './reconciliation.ts';

export interface BlockOptions {
  collections: Pick<Collections, 'contacts' | 'users'>;
  pairs: PairDocuments;
  reconcile: Reconcile;
  announce: ContactAnnouncements;
  lookups: Pick<LookupCache, 'changing'>;
  /** One blocks the other. Resolves when nothing passes between them any more. */
  onBlocked(one: string, other: string): Promise<void>;
  clock(): Date;
}

export function createBlockCommands(options: BlockOptions): HandlersOf<'contact:block' | 'contact:unblock'> {
  const { collections, pairs, reconcile, announce, lookups, onBlocked, clock } = options;
  const { contacts, users } = collections;

  /** One attempt to block; false if another command was quicker. */
  async function block(caller: Caller, otherId: string): Promise<boolean> {
    const { mine, theirs } = await pairs.read(caller.id, otherId);
    if (mine?.status === 'blocked') return true;
    // The other's document first: if this process dies now, a contact has ended, and nobody still sees what a block
    // should hide.
    if (theirs && theirs.status !== 'blocked') {
      await pairs.carryOut({ kind: 'remove', contact: theirs }, caller.socketId);
    }
    if (!mine) return pairs.insert(caller.id, otherId, { status: 'blocked' }, caller.socketId);
    const blocked = await contacts.findOneAndUpdate(
      { _id: mine._id, user_id: mine.user_id },
      { $set: { status: 'blocked', updated_at: clock() }, $unset: { direction: true }, $inc: { version: 1 } },
      { returnDocument: 'after' },
    );
    if (!blocked) return false;
    await announce.updated(blocked, caller.socketId);
    return true;
  }

  return {
    'contact:block': (caller, { user_id }) =>
      lookups.changing(pairId(caller.id, user_id), async () => {
        if (user_id === caller.id) throw invalid('user_id', 'must NOT be oneself');
        const user = await users.findOne({ _id: fromId(user_id) }, { projection: { _id: 1 } });
        if (!user) throw notFound('no such user');
        await untilDone(() => block(caller, user_id));
        // If this fails, the block is stored, and a repeat of the command completes it.
        const [{ mine }] = await Promise.all([
          reconcile(caller.id, user_id, caller.socketId),
          onBlocked(caller.id, user_id),
        ]);
        return answerWith(collections, mine);
      }),

    'contact:unblock': (caller, { user_id }) =>
      lookups.changing(pairId(caller.id, user_id), async () => {
        const block = { user_id: caller.userId, contact_id: fromId(user_id), status: 'blocked' as const };
        const removed = await contacts.findOneAndDelete(block);
        if (!removed) throw notFound('no such block');
        announce.removed(removed, caller.socketId);
        return {};
      }),
  };
}
