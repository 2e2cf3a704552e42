import type { CommandPayload } from '../../shared/contract/index.ts';
import { refusedByBlock } from '../conversations/access.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { Handler } from '../dispatch/handlers.ts';
import { invalid, notFound } from '../lib/errors.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents/accounts.ts';
import { untilDone } from './attempts.ts';
import { answerWith } from './contact-view.ts';
import type { PairDocuments } from './pair-documents.ts';
import { isAsked } from './pair-rules.ts';
import type { Reconcile } from './reconciliation.ts';

export interface RequestContactOptions {
  collections: Pick<Collections, 'users'>;
  pairs: PairDocuments;
  reconcile: Reconcile;
}

/** `contact:request`: changes nothing if it is pending or accepted already, and accepts if the other has asked. */
export function createRequestContact(options: RequestContactOptions): Handler<'contact:request'> {
  const { collections, pairs, reconcile } = options;
  return async (caller, payload) => {
    const otherId = (await findAsked(collections, caller, payload))._id.toHexString();
    const request = { status: 'pending' as const, direction: 'out' as const };
    const contact = await untilDone(async () => {
      const { mine, theirs } = await reconcile(caller.id, otherId, caller.socketId);
      if (mine?.status === 'blocked' || theirs?.status === 'blocked') {
        throw refusedByBlock();
      }
      if (mine && !isAsked(mine)) return mine;
      if (theirs) await pairs.carryOut({ kind: 'accept', contact: theirs }, caller.socketId);
      else await pairs.insert(caller.id, otherId, request, caller.socketId);
      return undefined;
    });
    return answerWith(collections, contact);
  };
}

/**
 * The user whom the caller asks.
 * @throws ContractError `validation_failed` for oneself, `not_found` for an unknown or deactivated user
 */
async function findAsked(
  { users }: Pick<Collections, 'users'>,
  caller: Caller,
  { user_id, username }: CommandPayload<'contact:request'>,
): Promise<UserDocument> {
  const by = user_id === undefined ? { username_key: username!.toLowerCase() } : { _id: fromId(user_id) };
  const user = await users.findOne(by);
  if (user?._id.equals(caller.userId)) {
    throw invalid(user_id === undefined ? 'username' : 'user_id', 'must NOT be oneself');
  }
  if (!user?.is_active) throw notFound('no such user');
  return user;
}
