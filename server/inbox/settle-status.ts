/** Brings stored messages up to a reader's marks by range updates. They come before the mark: see `receipts.ts`. */
import type { ObjectId } from 'mongodb';
import type { Collections } from '../model/collections.ts';
import type { MarkRequest } from './mark-request.ts';

/** Reads along an index in which a change of status moves no message, so that none is passed over. */
export const BY_SEQ = { hint: 'conversation_seq' };

/** Marks a pair's messages as delivered. A group's messages carry no such status. */
export async function settleDelivered(
  { messages }: Pick<Collections, 'messages'>,
  { conversation, peerId, marks, upTo }: MarkRequest,
): Promise<void> {
  if (!peerId) return;
  await messages.updateMany(
    {
      conversation_id: conversation.id,
      sender_id: peerId,
      status: 'sent',
      seq: { $gt: marks.delivered_seq, $lte: upTo },
    },
    { $set: { status: 'delivered' } },
    BY_SEQ,
  );
}

/**
 * Marks messages above the reader's old mark as read: whether those below it are shown as read was decided when they
 * were read.
 * @param senders who may learn of the reading
 */
export async function settleRead(
  { messages, group_messages }: Pick<Collections, 'messages' | 'group_messages'>,
  { conversation, caller, peerId, marks, fromSeq, upTo }: MarkRequest,
  senders: ObjectId[],
): Promise<void> {
  if (senders.length === 0) return;
  const seq = { $gt: Math.max(marks.read_seq, fromSeq), $lte: upTo };
  if (peerId) {
    await messages.updateMany(
      { conversation_id: conversation.id, sender_id: peerId, status: { $ne: 'read' }, seq },
      { $set: { status: 'read' } },
      BY_SEQ,
    );
  } else {
    await group_messages.updateMany(
      { conversation_id: conversation.id, seq, sender_id: { $in: senders } },
      { $addToSet: { read_by: caller.userId } },
    );
  }
}
