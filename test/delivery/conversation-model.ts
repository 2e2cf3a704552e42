/** A conversation as the database has it, for tests of its order. */
import { expect } from 'vitest';
import type { Change } from '../../server/bus/operations.ts';
import type { Message } from '../../shared/contract/documents.ts';

export interface Model {
  /** Every change as it was told. */
  told: Change[];
  /** The newest state of each message, by its `seq`. */
  stored: Map<number, Change>;
}

/** @param steps 0 writes a new message; n changes the n-th newest one */
export function write(steps: number[]): Model {
  const told: Change[] = [];
  const stored = new Map<number, Change>();
  let lastSeq = 0;
  for (const [i, step] of steps.entries()) {
    const isNew = step === 0 || lastSeq === 0;
    if (isNew) lastSeq++;
    const seq = isNew ? lastSeq : Math.max(1, lastSeq - step + 1);
    const rev = i + 1;
    const change: Change = { rev, message: { seq, rev } as Message, is_new: isNew, last_seq: lastSeq };
    told.push(change);
    stored.set(seq, change);
  }
  return { told, stored };
}

/**
 * Has changes of one message that follow each other told as one, as the writer does with reactions.
 * @param joins for each change whether it joins the one before it, if it can
 */
export function joined(told: readonly Change[], joins: readonly boolean[]): Change[] {
  const left: Change[] = [];
  for (const [i, change] of told.entries()) {
    const last = left.at(-1);
    const isAlike = last && !change.is_new && !last.is_new && last.message.seq === change.message.seq;
    if (isAlike && joins[i % joins.length])
      left[left.length - 1] = { ...change, first_rev: last.first_rev ?? last.rev };
    else left.push(change);
  }
  return left;
}

/** The changes above a `rev` as the database has them, ascending by it. */
export function read(stored: Map<number, Change>, aboveRev: number, limit = Number.POSITIVE_INFINITY): Change[] {
  return [...stored.values()]
    .filter((change) => change.rev > aboveRev)
    .sort((one, other) => one.rev - other.rev)
    .slice(0, limit)
    .map((change) => ({ ...change, is_new: false, last_seq: change.message.seq }));
}

/** Changes go out by ascending `rev`, and each message once as new, before any change of it. */
export function expectOrdered(delivered: Change[]): void {
  const revs = delivered.map((change) => change.rev);
  expect(revs).toEqual([...new Set(revs)].sort((one, other) => one - other));
  const known = new Set<number>();
  for (const { is_new, message } of delivered) {
    expect(is_new).toBe(!known.has(message.seq));
    known.add(message.seq);
  }
}

/** And everything that is written was visible at some time. */
export function expectComplete(delivered: Change[], model: Model): void {
  expectOrdered(delivered);
  const news = delivered.filter((change) => change.is_new).map((change) => change.message.seq);
  expect(news.sort((one, other) => one - other)).toEqual([...model.stored.keys()]);
  const revs = delivered.map((change) => change.rev);
  for (const change of model.stored.values()) expect(revs).toContain(change.rev);
}
