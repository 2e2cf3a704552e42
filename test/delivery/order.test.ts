import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Change } from '../../server/bus/operations.ts';
import { accept, advance, beginAbove, fill, type Order, wait } from '../../server/delivery/order.ts';
import { expectComplete, expectOrdered, joined, read, write } from './conversation-model.ts';

function createOrder(): { order: Order; delivered: Change[]; emit(order: Order, change: Change): void } {
  const delivered: Change[] = [];
  return {
    order: { rev: 0, lastSeq: 0, owed: new Set(), waiting: new Map() },
    delivered,
    emit: (_order, change) => void delivered.push(change),
  };
}

const steps = fc.array(fc.constantFrom(0, 0, 0, 1, 1, 2, 3), { minLength: 1, maxLength: 30 });
/** Which of the changes arrives next, and whether the database is read then. */
const arrivals = fc.array(fc.record({ nth: fc.nat(40), read: fc.boolean() }), { maxLength: 60 });

it('delivers by ascending rev, each message first as new, whatever is lost, doubled or comes in another order', () => {
  fc.assert(
    fc.property(steps, arrivals, fc.array(fc.boolean(), { minLength: 1 }), (steps, arrivals, joins) => {
      const written = write(steps);
      const model = { ...written, told: joined(written.told, joins) };
      const { order, delivered, emit } = createOrder();
      for (const arrival of arrivals) {
        const change = model.told[arrival.nth % model.told.length]!;
        if (arrival.read) {
          wait(order, [change]);
          fill(order, read(model.stored, order.rev), emit);
          advance(order, emit);
        } else {
          accept(order, [change], emit);
        }
        expectOrdered(delivered);
        for (const change of order.waiting.values())
          expect(change.first_rev ?? change.rev).toBeGreaterThan(order.rev + 1);
      }
      fill(order, read(model.stored, order.rev), emit);
      advance(order, emit);
      expectComplete(delivered, model);
      expect(order.waiting.size).toBe(0);
    }),
    { numRuns: 1000 },
  );
});

it('delivers the copy that waits, which knows the socket that acted', () => {
  const model = write([0, 0]);
  const { order, delivered, emit } = createOrder();
  accept(order, [{ ...model.told[1]!, except_socket: 'actor' }], emit);
  expect(delivered).toEqual([]);
  fill(order, read(model.stored, 0), emit);
  expect(delivered.map((change) => change.except_socket)).toEqual([undefined, 'actor']);
});

it('begins above a baseline, and never goes back to one', () => {
  const model = write([0, 0, 0, 1]);
  const { order, delivered, emit } = createOrder();
  beginAbove(order, { rev: 2, lastSeq: 2 });
  accept(order, model.told, emit);
  expect(delivered.map(({ rev, is_new }) => [rev, is_new])).toEqual([
    [3, true],
    [4, false],
  ]);
  beginAbove(order, { rev: 1, lastSeq: 1 });
  accept(order, model.told, emit);
  expect(delivered).toHaveLength(2);
});
