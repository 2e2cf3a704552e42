/** What sessions acknowledge is known at once, and lost by no failure of the store. */
import type { Collection } from 'mongodb';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { PushAcknowledgementDocument } from '../../server/model/documents/push.ts';
import { createAcknowledgements } from '../../server/push/acknowledgements.ts';

const key = { sessionId: 's', subject: 'a-b' };

/** A store that holds nothing until its writes are let through. */
function createStore() {
  const writes: { resolve(): void; reject(error: Error): void }[] = [];
  const collection = {
    bulkWrite: () => new Promise<void>((resolve, reject) => writes.push({ resolve, reject })),
    find: () => ({ toArray: async () => [] }),
  } as unknown as Collection<PushAcknowledgementDocument>;
  const options = { collections: { push_acknowledgements: collection }, clock: () => new Date() };
  return { writes, acknowledgements: createAcknowledgements({ ...options, log: pino({ level: 'silent' }) }) };
}

it('what is being written is known meanwhile, with what came after it', async () => {
  const { writes, acknowledgements } = createStore();
  acknowledgements.note(key, { delivered_seq: 3, read_seq: 3 });
  await expect.poll(() => writes.length).toBe(1);
  expect(await acknowledgements.read([key])).toEqual([{ delivered_seq: 3, read_seq: 3 }]);
  acknowledgements.note(key, { delivered_seq: 4, read_seq: 0 });
  expect(await acknowledgements.read([key])).toEqual([{ delivered_seq: 4, read_seq: 3 }]);
  writes[0]!.reject(new Error('away'));
  await expect.poll(() => writes.length).toBe(2);
  expect(await acknowledgements.read([key])).toEqual([{ delivered_seq: 4, read_seq: 3 }]);
  writes[1]!.resolve();
  await acknowledgements.close();
});
