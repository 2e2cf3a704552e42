/** What one connection is told of messages: in the order of `rev`, and each as new only once. */
import { createRanges, type Ranges } from './ranges.ts';

export interface Told {
  conversation: string;
  seq: number;
  rev: number;
  /** `message:new`, not `message:updated`. */
  isNew: boolean;
}

export interface ConnectionCheck {
  told(event: Told): void;
  /** Counts a message as told without judging it: the acknowledgement is the sender's copy. */
  acknowledged(conversation: string, seq: number): void;
  /** The highest seq that was told as new; 0 without one. */
  last(conversation: string): number;
  /** The seqs from one to another, both included, that were neither told nor acknowledged. */
  missing(conversation: string, from: number, to: number): number[];
}

/** @param find told of each finding, in words */
export function checkConnection(find: (what: 'doubled' | 'outOfOrder', words: string) => void): ConnectionCheck {
  const revs = new Map<string, number>();
  const lasts = new Map<string, number>();
  const news = new Map<string, Ranges>();

  function newsOf(conversation: string): Ranges {
    const known = news.get(conversation) ?? createRanges();
    news.set(conversation, known);
    return known;
  }

  return {
    told({ conversation, seq, rev, isNew }) {
      const before = revs.get(conversation) ?? 0;
      if (rev <= before) find('outOfOrder', `${conversation}: rev ${rev} after ${before}`);
      revs.set(conversation, rev);
      if (!isNew) return;
      if (!newsOf(conversation).add(seq)) find('doubled', `${conversation}: seq ${seq} told twice`);
      lasts.set(conversation, Math.max(lasts.get(conversation) ?? 0, seq));
    },
    acknowledged: (conversation, seq) => void newsOf(conversation).add(seq),
    last: (conversation) => lasts.get(conversation) ?? 0,
    missing: (conversation, from, to) => newsOf(conversation).missing(from, to),
  };
}
