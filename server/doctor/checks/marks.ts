/** Marks: how far each user's reading and delivery has come. */
import type { MembershipDocument } from '../../model/documents/conversations.ts';
import { batchesOf } from '../batches-of.ts';
import type { Check } from '../check.ts';
import { highestOf } from '../look-ups.ts';

/** How long after a change of marks messages may still be unsettled, in milliseconds: PROTOCOL allows 10 s of quiet. */
const SETTLED_MS = 60_000;

type Marks = Pick<MembershipDocument, 'from_seq' | 'delivered_seq' | 'read_seq' | 'shown_read_seq'>;

export const marks: Check = {
  name: 'marks',
  async *find(context) {
    const { memberships } = context.collections;
    for await (const batch of batchesOf(memberships.find())) {
      const ids = batch.map(({ conversation_id }) => conversation_id);
      const lastSeqs = await highestOf(context.store, 'seq', ids);
      for (const membership of batch) {
        const truth = within(membership, lastSeqs.get(membership.conversation_id) ?? 0);
        const wrong = (Object.keys(truth) as (keyof Marks)[]).filter((mark) => membership[mark] !== truth[mark]);
        if (wrong.length === 0) continue;
        const { _id, conversation_id, user_id } = membership;
        yield {
          what: `${user_id} in ${conversation_id}: ${wrong.join(', ')} out of bounds`,
          repair: () => {
            const seen = Object.fromEntries(wrong.map((mark) => [mark, membership[mark]]));
            const right = Object.fromEntries(wrong.map((mark) => [mark, truth[mark]]));
            const told = { changed_at: context.clock(), marks_at: context.clock() };
            return memberships.updateOne(
              { _id, conversation_id, user_id, ...seen },
              { $set: right, $max: told, $inc: { version: 1 } },
            );
          },
        };
      }
    }
  },
};

/** Marks as they may be: none beyond the last message, and what was read was delivered. */
function within(marks: Marks, lastSeq: number): Marks {
  const atMost = (mark: number) => Math.min(mark, lastSeq);
  const read_seq = atMost(marks.read_seq);
  return {
    from_seq: atMost(marks.from_seq),
    read_seq,
    delivered_seq: Math.max(atMost(marks.delivered_seq), read_seq),
    shown_read_seq: Math.min(marks.shown_read_seq, read_seq),
  };
}

export const unsettled: Check = {
  name: 'unsettled marks',
  async *find({ collections: { memberships }, clock }) {
    const before = new Date(clock().getTime() - SETTLED_MS);
    const left = memberships.find({ settling_from: { $exists: true }, changed_at: { $lt: before } });
    for await (const { conversation_id, user_id } of left) {
      yield {
        what: `${user_id} in ${conversation_id}: messages do not say yet what was read; a running server mends it`,
      };
    }
  },
};
