import type { MessageDocument } from '../model/documents/messages.ts';

/** The `seq` of the newest message of the conversation proper, as of a message: its own, unless it is aside. */
export function properSeqOf({ seq, proper_seq = seq }: Pick<MessageDocument, 'seq' | 'proper_seq'>): number {
  return proper_seq;
}
