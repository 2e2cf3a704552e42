/** Makes the documents of a pair before its first message. */
import { ObjectId } from 'mongodb';
import { type Upsert, upsert, upsertAll } from '../model/batches.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { ConversationDocument, MembershipDocument } from '../model/documents/conversations.ts';

/** Before any message. */
const LONG_AGO = new Date(0);

/**
 * Makes both memberships of a pair and its summary. Idempotent, so a crash between the writes is harmless: a pair in
 * which nothing was written is shown to nobody.
 */
export type OpenPair = (conversation: ConversationRef & { kind: 'direct' }) => Promise<void>;

export interface OpenPairOptions {
  collections: Pick<Collections, 'conversations' | 'memberships'>;
  clock(): Date;
}

export function createOpenPair({ collections, clock }: OpenPairOptions): OpenPair {
  const { conversations, memberships } = collections;
  return async ({ id, user_ids }) => {
    const now = clock();
    const [one, other] = user_ids.map(fromId) as [ObjectId, ObjectId];
    const [made] = await Promise.all([
      upsertAll(memberships, [membershipUpsert(id, one, other, now), membershipUpsert(id, other, one, now)]),
      upsert(conversations, { filter: { _id: id }, update: { $setOnInsert: pairSummary([one, other], now) } }),
    ]);
    for (const outcome of made) if (outcome instanceof Error) throw outcome;
  };
}

function membershipUpsert(
  conversation_id: string,
  user_id: ObjectId,
  peer_id: ObjectId,
  now: Date,
): Upsert<MembershipDocument> {
  return {
    filter: { user_id, conversation_id },
    update: {
      $setOnInsert: {
        _id: new ObjectId(),
        kind: 'direct',
        peer_id,
        from_seq: 0,
        joined_at: now,
        delivered_seq: 0,
        read_seq: 0,
        shown_read_seq: 0,
        changed_at: now,
      },
    },
  };
}

function pairSummary(user_ids: ObjectId[], now: Date): Omit<ConversationDocument, '_id'> {
  return {
    kind: 'direct',
    user_ids,
    last_seq: 0,
    rev: 0,
    activity_at: LONG_AGO,
    changed_at: LONG_AGO,
    created_at: now,
  };
}
