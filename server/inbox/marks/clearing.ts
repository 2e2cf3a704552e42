import type { AnyBulkWriteOperation } from 'mongodb';
import type { MembershipDocument } from '../../model/documents/conversations.ts';
import type { Unsettled } from './settlements.ts';

/**
 * Notes in a membership that the stored messages say what its marks said (as `settled` does in memory). Marks that have
 * grown since are left to be settled from there on.
 * @returns the two steps, of which one has an effect
 */
export function clearing(done: Unsettled): AnyBulkWriteOperation<MembershipDocument>[] {
  const { user_id, conversation_id, delivered_seq, read_seq, shown_read_seq } = done;
  const left = {
    $filter: {
      input: {
        $map: {
          input: { $ifNull: ['$shown_reads', []] },
          in: { from: { $max: ['$$this.from', read_seq] }, to: '$$this.to', except: '$$this.except' },
        },
      },
      cond: { $gt: ['$$this.to', read_seq] },
    },
  };
  return [
    {
      updateOne: {
        filter: { user_id, conversation_id, delivered_seq, read_seq, shown_read_seq },
        update: { $unset: { settling_from: true, shown_reads: true } },
      },
    },
    {
      updateOne: {
        filter: { user_id, conversation_id, settling_from: { $exists: true } },
        update: [{ $set: { settling_from: { $max: ['$settling_from', delivered_seq] }, shown_reads: left } }],
      },
    },
  ];
}
