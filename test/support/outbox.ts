/** An outbox where no webhook exists. */
import { pino } from 'pino';
import type { Collections } from '../../server/model/collections.ts';
import { createOutbox, type Outbox } from '../../server/outbox/outbox.ts';

export function silentOutbox(collections: Collections): Outbox {
  return createOutbox({
    collections,
    list: { mayExist: () => false, all: () => [] },
    clock: () => new Date(),
    log: pino({ level: 'silent' }),
  });
}
