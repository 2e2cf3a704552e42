/** Uploads: bytes without documents, documents without bytes, and how much each user's uploads hold together. */
import type { Collection, ObjectId } from 'mongodb';
import { keysOf } from '../../media/documents/filenames.ts';
import type { UploadDocument } from '../../media/documents/kinds.ts';
import { batchesOf } from '../batches-of.ts';
import type { Check, CheckContext } from '../check.ts';

const uploadsIn = ({ collections: { media, files } }: CheckContext) =>
  [media, files] as unknown as Collection<UploadDocument>[];

export const missingBytes: Check = {
  name: 'uploads without bytes',
  async *find(context) {
    for (const collection of uploadsIn(context)) {
      for await (const batch of batchesOf(collection.find({ is_deleted: false }), 200)) {
        const stored = await context.bytes.has(batch.flatMap(keysOf));
        for (const upload of batch) {
          if (keysOf(upload).every((key) => stored.has(key))) continue;
          yield { what: `${collection.collectionName} ${upload._id}: its bytes, or its thumbnail's, are gone` };
        }
      }
    }
  },
};

export const strayBytes: Check = {
  name: 'bytes without an upload',
  async *find(context) {
    // A hundred bytes of memory for each upload. No index leads from bytes to their upload: no command needs one.
    const owned = new Set<string>();
    for await (const { keys } of context.collections.pending_uploads.find()) for (const key of keys) owned.add(key);
    for (const collection of uploadsIn(context)) {
      const names = { filename: 1, thumbnail: 1, stored: 1 };
      for await (const upload of collection.find({ stored: true }, { projection: names })) {
        for (const key of keysOf(upload)) owned.add(key);
      }
    }
    for await (const key of context.bytes.keys()) {
      if (owned.has(key)) continue;
      yield { what: `stored bytes ${key}: of no upload`, repair: () => context.bytes.remove(key) };
    }
  },
};

export const usage: Check = {
  name: 'quotas',
  async *find(context) {
    const { upload_usage } = context.collections;
    for await (const { _id, bytes, version, changes, held } of upload_usage.find()) {
      if (changes.length > 0) continue;
      const stored = await storedBy(context, _id);
      if (stored === undefined || stored === bytes) continue;
      yield {
        what: `user ${_id}: ${bytes} bytes counted, ${stored} stored`,
        repair: () =>
          upload_usage.updateOne(
            { _id, version, changes: { $size: 0 } },
            { $set: { bytes: stored, held: held - bytes + stored }, $inc: { version: 1 } },
          ),
      };
    }
  },
};

/** How many bytes a user's finished uploads hold; undefined while an upload is under way. */
async function storedBy(context: CheckContext, uploader_id: ObjectId): Promise<number | undefined> {
  const { pending_uploads: pending } = context.collections;
  if (await pending.findOne({ uploader_id })) return undefined;
  let sum = 0;
  for (const collection of uploadsIn(context)) {
    const [found] = await collection
      .aggregate<{ bytes: number }>([
        { $match: { uploader_id, is_deleted: false } },
        { $group: { _id: null, bytes: { $sum: '$file_size' } } },
      ])
      .toArray();
    sum += found?.bytes ?? 0;
  }
  return sum;
}
