import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Change } from '../../server/bus/operations.ts';
import { createSequencer, type Sequencer, type SequencerSources } from '../../server/delivery/sequencer.ts';
import { allMeasures } from '../../server/lib/measures.ts';
import type { ConversationRef } from '../../server/model/conversation-ref.ts';
import { expectComplete, read, write } from './conversation-model.ts';

const conversation: ConversationRef = { id: 'c', kind: 'group', group_id: 'g' };

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Lets time pass, in milliseconds, and everything happen that is due. */
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A sequencer of one node among others, and what it delivered. */
function create(sources: Partial<SequencerSources>): { sequencer: Sequencer; delivered: Change[] } {
  const delivered: Change[] = [];
  const sequencer = createSequencer({
    seesEverything: false,
    coveredSince: () => 1,
    readChanges: async () => [],
    findBaseline: async () => ({ rev: 0, lastSeq: 0 }),
    emit: (_conversation, change) => void delivered.push(change),
    clock: () => new Date(),
    onError(error) {
      throw error;
    },
    ...sources,
  });
  return { sequencer, delivered };
}

it('delivers each change in the order of rev, whatever is lost, doubled or comes in another order', async () => {
  const steps = fc.array(fc.constantFrom(0, 0, 0, 1, 1, 2, 3), { minLength: 1, maxLength: 30 });
  const shuffle = fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true }));
  await fc.assert(
    fc.asyncProperty(steps, shuffle, async (steps, shuffle) => {
      const model = write(steps);
      const { sequencer, delivered } = create({
        readChanges: async (_conversation, above, limit) => read(model.stored, above, limit),
      });
      const random = () => shuffle.next().value as number;
      // Some are lost, some come twice, all in another order; the last one comes, or nothing would be missed.
      const arriving = model.told
        .flatMap((change) => (random() < 0.25 ? [] : random() < 0.25 ? [change, change] : [change]))
        .concat(model.told.at(-1)!)
        .map((change) => ({ change, at: random() }))
        .sort((one, other) => one.at - other.at);
      for (const { change } of arriving) {
        sequencer.accept(conversation, [change]);
        if (random() < 0.1) await pass(1);
      }
      await pass(100);
      sequencer.close();
      expectComplete(delivered, model);
    }),
    { numRuns: 60 },
  );
});

it('delivers what was never told when it is asked to heal, also while a read is under way', async () => {
  const model = write([0, 0, 0, 1, 0]);
  let reads = 0;
  const { sequencer, delivered } = create({
    async readChanges(_conversation, above, limit) {
      reads++;
      const found = read(model.stored, above, limit).filter((change) => reads > 1 || change.rev < 3);
      await pause(5);
      return found;
    },
  });
  sequencer.heal(conversation);
  await pass(2);
  sequencer.heal(conversation);
  await pass(30);
  expectComplete(delivered, model);
});

it('measures how long changes waited for those before them', async () => {
  const waits = () => {
    const measured = allMeasures()
      .find(({ name }) => name === 'letsapp_sequencer_wait_seconds')!
      .read();
    const of = (part: string) => measured.find(({ suffix }) => suffix === part)!.value;
    return { count: of('_count'), sum: of('_sum') };
  };
  const model = write([0, 0, 0, 0]);
  const { sequencer, delivered } = create({ seesEverything: true });
  const before = waits();
  sequencer.accept(conversation, [model.told[0]!]);
  expect(waits()).toEqual(before);
  sequencer.accept(conversation, [model.told[2]!]);
  await pass(20);
  sequencer.accept(conversation, [model.told[3]!]);
  expect(waits()).toEqual(before);
  sequencer.accept(conversation, [model.told[1]!]);
  expect(delivered).toHaveLength(4);
  expect(waits().count).toBe(before.count + 1);
  expect(waits().sum).toBeCloseTo(before.sum + 0.02);
  sequencer.close();
});

it('does nothing for a conversation that nobody here is in', async () => {
  const findBaseline = vi.fn<SequencerSources['findBaseline']>();
  const { sequencer, delivered } = create({ coveredSince: () => undefined, findBaseline });
  sequencer.accept(conversation, write([0]).told);
  sequencer.heal(conversation);
  await pass(100);
  expect(findBaseline).not.toHaveBeenCalled();
  expect(delivered).toEqual([]);
});

it('begins anew where nobody was connected for a while, and repeats nothing', async () => {
  const model = write([0, 0, 0, 0]);
  let since = 1;
  const { sequencer, delivered } = create({
    coveredSince: () => since,
    readChanges: async (_conversation, above, limit) => read(model.stored, above, limit),
    findBaseline: async (_conversation, { first }) => ({ rev: first!.rev - 1, lastSeq: first!.last_seq - 1 }),
  });
  sequencer.accept(conversation, [model.told[0]!]);
  await pass(5);
  since = Date.now();
  await pass(5);
  sequencer.accept(conversation, [model.told[3]!]);
  await pass(100);
  expect(delivered.map(({ rev }) => rev)).toEqual([1, 4]);
});

it('goes on when the database answers again', async () => {
  const model = write([0, 0, 0]);
  let failures = 1;
  const { sequencer, delivered } = create({
    seesEverything: true,
    onError: () => {},
    async readChanges(_conversation, above, limit) {
      if (failures-- > 0) throw new Error('away');
      return read(model.stored, above, limit);
    },
  });
  sequencer.accept(conversation, [model.told[0]!]);
  sequencer.accept(conversation, [model.told[2]!]);
  await pass(2000);
  expect(delivered.map(({ rev }) => rev)).toEqual([1, 2, 3]);
});

it('tells how far it delivered at the moment when it is asked', () => {
  const model = write([0, 0]);
  const { sequencer } = create({ seesEverything: true });
  expect(sequencer.delivered(conversation)).toBeUndefined();
  sequencer.accept(conversation, [model.told[0]!]);
  const first = sequencer.delivered(conversation);
  sequencer.accept(conversation, [model.told[1]!]);
  expect([first, sequencer.delivered(conversation)]).toEqual([
    { rev: 1, lastSeq: 1 },
    { rev: 2, lastSeq: 2 },
  ]);
});
