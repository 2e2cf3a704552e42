import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createMarks } from '../../server/delivery/marks.ts';

const status = (delivered_seq: number, read_seq: number, user_id = 'reader') => ({
  conversation_id: 'conversation',
  user_id,
  delivered_seq,
  read_seq,
  at: '2026-01-01T00:00:00.000Z',
});

it('tells marks that only grow, and the highest in the end, in whatever order they arrive', () => {
  const marks = fc.array(fc.tuple(fc.nat(20), fc.nat(20)), { minLength: 1 });
  fc.assert(
    fc.property(marks, (arriving) => {
      const tell = createMarks();
      const told = arriving.flatMap(([delivered, read]) => tell('viewer', status(delivered, read)) ?? []);
      for (const [i, after] of told.entries()) {
        const before = told[i - 1];
        if (!before) continue;
        expect(after.delivered_seq).toBeGreaterThanOrEqual(before.delivered_seq);
        expect(after.read_seq).toBeGreaterThanOrEqual(before.read_seq);
        expect(after.delivered_seq + after.read_seq).toBeGreaterThan(before.delivered_seq + before.read_seq);
      }
      expect(told.at(-1)?.delivered_seq).toBe(Math.max(...arriving.map(([delivered]) => delivered)));
      expect(told.at(-1)?.read_seq).toBe(Math.max(...arriving.map(([, read]) => read)));
    }),
  );
});

it('keeps viewers apart, and those whose marks they see', () => {
  const tell = createMarks();
  tell('one', status(5, 5));
  expect(tell('other', status(3, 0))).toEqual(status(3, 0));
  expect(tell('one', status(3, 0, 'another reader'))).toEqual(status(3, 0, 'another reader'));
  expect(tell('one', status(3, 0))).toBeUndefined();
});
