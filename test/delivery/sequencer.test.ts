import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Change } from '../../server/bus/operations.ts';
import { createSequencer, type SequencerSources } from '../../server/delivery/sequencer.ts';
import type { Message } from '../../shared/contract/documents.ts';
import type { ConversationRef } from '../../server/model/conversation-ref.ts';

const conversation: ConversationRef = { id: 'c', kind: 'group', group_id: 'g' };

/** A conversation as the database has it: of each message the newest state, and every change as it was told. */
interface Model {
  told: Change[];
  /** The rev and seq of each message's newest state. */
  stored: Map<number, Change>;
}

/** @param steps 0: a new message; n: a change of the n-th newest one */
function write(steps: number[]): Model {
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

function read(stored: Map<number, Change>, aboveRev: number, limit: number): Change[] {
  return [...stored.values()]
    .filter((change) => change.rev > aboveRev)
    .sort((a, b) => a.rev - b.rev)
    .slice(0, limit)
    .map((change) => ({ ...change, is_new: false, last_seq: change.message.seq }));
}

const never: Pick<SequencerSources, 'onError' | 'coveredSince'> = {
  onError: (error) => {
    throw error;
  },
  coveredSince: () => 1,
};

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Everything that is written is visible at some time, in the order of rev, each message once as new. */
function expectComplete(delivered: Change[], model: Model): void {
  const revs = delivered.map((change) => change.rev);
  expect(revs).toEqual([...revs].sort((a, b) => a - b));
  expect(new Set(revs).size).toBe(revs.length);
  const news = delivered.filter((change) => change.is_new).map((change) => change.message.seq);
  expect(new Set(news).size).toBe(news.length);
  expect(news.length).toBe(model.stored.size);
  for (const change of model.stored.values()) expect(revs).toContain(change.rev);
  // A change of a message that was never new to the client would be lost on it.
  const known = new Set<number>();
  for (const { is_new, message } of delivered) {
    if (is_new) known.add(message.seq);
    else expect(known).toContain(message.seq);
  }
}

describe('the sequencer', () => {
  it('delivers each change in the order of rev, whatever is lost, doubled or comes in another order', async () => {
    const steps = fc.array(fc.constantFrom(0, 0, 0, 1, 1, 2, 3), { minLength: 1, maxLength: 30 });
    const plan = fc.record({
      steps,
      shuffle: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ steps, shuffle }) => {
        const model = write(steps);
        const delivered: Change[] = [];
        const sequencer = createSequencer({
          ...never,
          seesEverything: false,
          readChanges: async (_conversation, above, limit) => read(model.stored, above, limit),
          findBaseline: async () => ({ rev: 0, lastSeq: 0 }),
          emit: (_conversation, change) => delivered.push(change),
        });
        const random = () => shuffle.next().value as number;
        // Some are lost, some come twice, all in another order; the last one comes, or nothing would be missed.
        const arriving = model.told
          .flatMap((change) => (random() < 0.25 ? [] : random() < 0.25 ? [change, change] : [change]))
          .concat(model.told.at(-1)!)
          .map((change) => ({ change, at: random() }))
          .sort((a, b) => a.at - b.at);
        for (const { change } of arriving) {
          sequencer.accept(conversation, [change]);
          if (random() < 0.1) await pause(0);
        }
        await pause(70);
        sequencer.close();
        expectComplete(delivered, model);
      }),
      { numRuns: 60 },
    );
  }, 30_000);

  it('delivers what was never told, when it is asked to heal, also while a read is under way', async () => {
    const model = write([0, 0, 0, 1, 0]);
    const delivered: Change[] = [];
    let reads = 0;
    const sequencer = createSequencer({
      ...never,
      seesEverything: false,
      async readChanges(_conversation, above, limit) {
        reads++;
        const found = read(model.stored, above, limit).filter((change) => reads > 1 || change.rev < 3);
        await pause(5);
        return found;
      },
      findBaseline: async () => ({ rev: 0, lastSeq: 0 }),
      emit: (_conversation, change) => delivered.push(change),
    });
    sequencer.heal(conversation);
    await pause(2);
    sequencer.heal(conversation);
    await pause(30);
    expectComplete(delivered, model);
  });

  it('does nothing for a conversation that nobody here is in', async () => {
    let asked = 0;
    const sequencer = createSequencer({
      ...never,
      coveredSince: () => undefined,
      seesEverything: false,
      readChanges: async () => [],
      findBaseline: async () => {
        asked++;
        return { rev: 0, lastSeq: 0 };
      },
      emit: () => {
        asked++;
      },
    });
    sequencer.accept(conversation, write([0]).told);
    sequencer.heal(conversation);
    await pause(10);
    expect(asked).toBe(0);
  });

  it('begins anew where nobody was connected for a while, and repeats nothing', async () => {
    const model = write([0, 0, 0, 0]);
    const delivered: number[] = [];
    let since = 1;
    const sequencer = createSequencer({
      ...never,
      coveredSince: () => since,
      seesEverything: false,
      readChanges: async (_conversation, above, limit) => read(model.stored, above, limit),
      findBaseline: async (_conversation, { first }) => ({
        rev: first!.rev - 1,
        lastSeq: first!.last_seq - 1,
        isOpen: false,
      }),
      emit: (_conversation, change) => delivered.push(change.rev),
    });
    sequencer.accept(conversation, [model.told[0]!]);
    await pause(5);
    since = Date.now();
    await pause(5);
    sequencer.accept(conversation, [model.told[3]!]);
    await pause(70);
    expect(delivered).toEqual([1, 4]);
  });

  it('goes on when the database answers again', async () => {
    const model = write([0, 0, 0]);
    const delivered: number[] = [];
    let failures = 1;
    const sequencer = createSequencer({
      ...never,
      onError: () => {},
      seesEverything: true,
      async readChanges(_conversation, above, limit) {
        if (failures-- > 0) throw new Error('away');
        return read(model.stored, above, limit);
      },
      findBaseline: async () => ({ rev: 0, lastSeq: 0 }),
      emit: (_conversation, change) => delivered.push(change.rev),
    });
    sequencer.accept(conversation, [model.told[0]!]);
    sequencer.accept(conversation, [model.told[2]!]);
    await expect.poll(() => delivered, { timeout: 5000 }).toEqual([1, 2, 3]);
  });
});
