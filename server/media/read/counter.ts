/** Counts how often uploads are read, in the background. */
import type { ObjectId } from 'mongodb';
import type { Logger } from 'pino';
import type { Kind } from '../documents/kinds.ts';

export interface Counter {
  /** Adds one, without waiting for it. */
  count(uploadId: ObjectId): void;
  /** Resolves once everything this node counted of an upload is stored, or has failed. */
  settled(uploadId: ObjectId): Promise<void>;
}

export function createCounter({ collection, countedIn }: Kind, log: Logger): Counter {
  const pending = new Map<string, Promise<void>>();
  return {
    count(uploadId) {
      const id = uploadId.toHexString();
      const increment = collection.updateOne({ _id: uploadId }, { $inc: { [countedIn]: 1 } }).then(
        () => {},
        (err: unknown) => log.warn({ err }, 'a reading was not counted'),
      );
      const all = Promise.all([pending.get(id), increment]).then(() => {
        if (pending.get(id) === all) pending.delete(id);
      });
      pending.set(id, all);
    },
    settled: async (uploadId) => pending.get(uploadId.toHexString()),
  };
}
