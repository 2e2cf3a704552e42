import { expect, it } from 'vitest';
import type { Change } from '../../server/bus/operations.ts';
import { createCatchUp } from '../../server/delivery/catch-up.ts';
import { read, write } from './conversation-model.ts';

it('tells what others were told since, also what they are told while the database is read, and then enters', async () => {
  const model = write([0, 0, 0]);
  let delivered = { rev: 2, lastSeq: 2 };
  const told: Change[] = [];
  const catchUp = createCatchUp({
    sequencer: { delivered: () => delivered },
    async readAbove(_conversation, seq) {
      // The third message is delivered to the others after the database was asked for the first time.
      const found = read(model.stored, 0).filter((change) => change.message.seq > seq && change.rev <= delivered.rev);
      delivered = { rev: 3, lastSeq: 3 };
      return found;
    },
    emit: (_userId, change) => void told.push(change),
    onError(error) {
      throw error;
    },
  });
  await new Promise<void>((enter) => catchUp.start('user', 'group', 1, enter));
  expect(told.map(({ rev, is_new }) => [rev, is_new])).toEqual([
    [2, true],
    [3, true],
  ]);
});

it('tells nothing where nothing was delivered, and lets nobody in who is to enter no more', async () => {
  const entered: string[] = [];
  let answer = () => {};
  const catchUp = createCatchUp({
    sequencer: { delivered: ({ id }) => (id === 'quiet' ? undefined : { rev: 1, lastSeq: 1 }) },
    readAbove: () => new Promise((resolve) => (answer = () => resolve([]))),
    emit: () => expect.unreachable(),
    onError: () => expect.unreachable(),
  });
  catchUp.start('user', 'quiet', 0, () => entered.push('quiet'));
  expect(entered).toEqual(['quiet']);
  catchUp.start('user', 'busy', 0, () => entered.push('busy'));
  catchUp.stop('user', 'busy');
  answer();
  await new Promise((resolve) => setImmediate(resolve));
  expect(entered).toEqual(['quiet']);
});
