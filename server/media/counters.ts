/** How often uploads were read: counted beside the reading, which never waits for it. */
import type { Collection, ObjectId } from 'mongodb';
import type { Logger } from 'pino';
import type { FileDocument, MediaDocument } from '../model/documents.ts';

export interface Counter {
  /** Adds one, by an atomic increment in the background. */
  count(uploadId: ObjectId): void;
  /** Resolves when all that this node has counted of an upload is stored, or could not be. */
  settled(uploadId: ObjectId): Promise<void>;
}

/** @param field what is counted in the collection's documents */
export function createCounter<D extends MediaDocument | FileDocument>(
  collection: Collection<D>,
  field: 'view_count' | 'download_count',
  log: Logger,
): Counter {
  const underWay = new Map<string, Promise<void>>();
  return {
    count(uploadId) {
      const id = uploadId.toHexString();
      const increment = (collection as unknown as Collection<MediaDocument | FileDocument>)
        .updateOne({ _id: uploadId }, { $inc: { [field]: 1 } })
        .then(
          () => {},
          (err: unknown) => log.warn({ err }, 'a reading was not counted'),
        );
      const all = Promise.all([underWay.get(id), increment]).then(() => {
        if (underWay.get(id) === all) underWay.delete(id);
      });
      underWay.set(id, all);
    },
    settled: async (uploadId) => underWay.get(uploadId.toHexString()),
  };
}
