/** Marks of who was delivered and has read what: they only grow. */
import type { Receipt } from '../contract.ts';

export function receiptOf(receipts: readonly Receipt[], userId: string | undefined): Receipt | undefined {
  return receipts.find(({ user_id }) => user_id === userId);
}

/** The receipts with the marks of some of them raised. */
export function raise(receipts: Receipt[], some: readonly Receipt[]): Receipt[] {
  return some.reduce(raiseOne, receipts);
}

function raiseOne(receipts: Receipt[], { user_id, delivered_seq, read_seq }: Receipt): Receipt[] {
  const known = receiptOf(receipts, user_id);
  const raised = {
    user_id,
    delivered_seq: Math.max(delivered_seq, read_seq, known?.delivered_seq ?? 0),
    read_seq: Math.max(read_seq, known?.read_seq ?? 0),
  };
  if (!known) return [...receipts, raised];
  if (raised.delivered_seq === known.delivered_seq && raised.read_seq === known.read_seq) return receipts;
  return receipts.map((receipt) => (receipt === known ? raised : receipt));
}
