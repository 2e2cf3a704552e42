/** What must be written to stored messages so that they say what marks say. Pure. */
import type { AnyBulkWriteOperation, ObjectId } from 'mongodb';
import { byTime } from '../../conversations/shown-messages.ts';
import type { MembershipDocument, ShownRead } from '../../model/documents/conversations.ts';
import type { GroupMessageDocument, PairMessageDocument } from '../../model/documents/messages.ts';

/** A member's marks that stored messages have not caught up with. */
export type Unsettled = Pick<
  MembershipDocument,
  'kind' | 'user_id' | 'peer_id' | 'conversation_id' | 'delivered_seq' | 'read_seq' | 'shown_read_seq' | 'marks_at'
> &
  Required<Pick<MembershipDocument, 'settling_from'>> &
  Pick<MembershipDocument, 'shown_reads'>;

/** Reads along an index in which a change of status moves no message, so that none is passed over. */
const BY_SEQ = { hint: 'conversation_seq' };

/** What one user's marks say of a pair's messages. */
export function pairSettlements(marks: Unsettled): AnyBulkWriteOperation<PairMessageDocument>[] {
  const { conversation_id, peer_id, delivered_seq, settling_from, shown_reads = [] } = marks;
  const ofPeer = { conversation_id, sender_id: peer_id! };
  const reads = shown_reads.map(({ from, to }) => ({
    updateMany: {
      filter: {
        ...ofPeer,
        seq: { $gt: from, $lte: to },
        status: { $in: ['sent', 'delivered'] as ('sent' | 'delivered')[] },
      },
      update: { $set: { status: 'read' as const } },
      ...BY_SEQ,
    },
  }));
  if (shown_reads.some(({ from, to }) => from <= settling_from && to >= delivered_seq)) return reads;
  const delivery = {
    updateMany: {
      filter: { ...ofPeer, seq: { $gt: settling_from, $lte: delivered_seq }, status: 'sent' as const },
      update: { $set: { status: 'delivered' as const } },
      ...BY_SEQ,
    },
  };
  return [...reads, delivery];
}

/** A stretch of a group's messages, and who has read it while that was shown. */
export interface Stretch {
  from: number;
  to: number;
  /** In the order of reading. */
  readers: ObjectId[];
  /** Senders who must not know. */
  except: ObjectId[];
}

/** Divides what members have read into stretches that each have the same readers throughout. */
export function stretchesOf(marks: readonly Unsettled[]): Stretch[] {
  const inOrder = marks.toSorted(byTime);
  const bounds = [
    ...new Set(marks.flatMap(({ shown_reads = [] }) => shown_reads.flatMap(({ from, to }) => [from, to]))),
  ];
  bounds.sort((one, other) => one - other);
  return bounds.slice(1).flatMap((to, i) => {
    const from = bounds[i]!;
    const stretches = new Map<string, Stretch>();
    for (const { user_id, shown_reads = [] } of inOrder) {
      const range = shown_reads.find((one) => one.from <= from && one.to >= to);
      if (!range) continue;
      const stretch = stretches.get(exceptKey(range));
      if (stretch) stretch.readers.push(user_id);
      else stretches.set(exceptKey(range), { from, to, readers: [user_id], except: range.except ?? [] });
    }
    return [...stretches.values()];
  });
}

function exceptKey({ except = [] }: ShownRead): string {
  return except.map((userId) => userId.toHexString()).join();
}

/**
 * What a stretch says of a group's messages.
 * @param senders who sent them: readers have not read what they sent themselves
 */
export function groupSettlements(
  conversation_id: string,
  { from, to, readers, except }: Stretch,
  senders: readonly ObjectId[],
): AnyBulkWriteOperation<GroupMessageDocument>[] {
  const isIn = (ids: readonly ObjectId[], id: ObjectId) => ids.some((one) => one.equals(id));
  const seq = { $gt: from, $lte: to };
  const ownSenders = senders.filter((sender) => isIn(readers, sender) && !isIn(except, sender));
  const ofOthers = {
    updateMany: {
      filter: { conversation_id, seq, sender_id: { $nin: [...ownSenders, ...except] } },
      update: { $addToSet: { read_by: { $each: readers } } },
      ...BY_SEQ,
    },
  };
  const ofReaders = ownSenders.map((sender) => ({
    updateMany: {
      filter: { conversation_id, seq, sender_id: sender },
      update: { $addToSet: { read_by: { $each: readers.filter((reader) => !reader.equals(sender)) } } },
      ...BY_SEQ,
    },
  }));
  return [ofOthers, ...ofReaders];
}
