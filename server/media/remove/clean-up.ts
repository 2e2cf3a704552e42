/**
 * Removes uploads that nobody uses, and what crashes left of others. Every step is a conditional update or may be
 * repeated, so several nodes may clean up at once.
 */
import type { ObjectId } from 'mongodb';
import type { Collections } from '../../model/collections.ts';
import type { PendingUploadDocument } from '../../model/documents/media.ts';
import { keysOf } from '../documents/filenames.ts';
import type { Kinds, UploadCollection } from '../documents/kinds.ts';
import type { MediaStorage } from '../storage/storage.ts';
import { picturesAmong, sentAmong } from './in-use.ts';
import type { RemoveBytes } from './remove.ts';

/** Lifetime of an upload that is neither sent nor a picture, from its last claim. Milliseconds. */
const UNSENT_MS = 24 * 60 * 60 * 1000;
/** How many unsent uploads are looked at together. */
const BATCH = 100;

export interface CleanUpOptions {
  collections: Pick<Collections, 'users' | 'groups' | 'messages' | 'group_messages' | 'pending_uploads'>;
  kinds: Kinds;
  storage: MediaStorage;
  removeBytes: RemoveBytes;
  /** Smaller for tests. */
  batch?: number;
}

/**
 * Removes uploads not used within a day, bytes whose document is deleted, and bytes that never got one.
 * @param now the time that ages are counted from
 */
export type CleanUp = (now: Date) => Promise<void>;

export function createCleanUp(options: CleanUpOptions): CleanUp {
  const { collections, kinds, removeBytes } = options;
  const { pending_uploads: pending } = collections;
  return async (now) => {
    for (const { collection } of [kinds.media, kinds.file]) {
      while (await endUnsent(options, collection, now));
      for await (const upload of collection.find({ is_deleted: true, stored: true })) {
        await removeBytes(collection, upload);
      }
    }
    for await (const overdue of pending.find({ expires_at: { $lte: now } })) await endPending(options, overdue);
  };
}

/** Marks a batch of unsent uploads as deleted. @returns whether there may be more */
async function endUnsent(
  { collections, batch = BATCH }: CleanUpOptions,
  collection: UploadCollection,
  now: Date,
): Promise<boolean> {
  const isDue = { unsent: true as const, used_at: { $lte: new Date(now.getTime() - UNSENT_MS) } };
  const due = await collection
    .find(isDue, { projection: { _id: 1 } })
    .sort({ used_at: 1 })
    .limit(batch)
    .toArray();
  if (due.length === 0) return false;
  const ids = due.map(({ _id }) => _id);
  const [sent, pictures] = await Promise.all([sentAmong(collections, ids), picturesAmong(collections, ids)]);
  await collection.updateMany({ _id: { $in: sent } }, { $unset: { unsent: true } });
  const isPicture = (id: ObjectId) => pictures.has(id.toHexString());
  // Looked at again after another day.
  await collection.updateMany({ _id: { $in: ids.filter(isPicture) }, ...isDue }, { $set: { used_at: now } });
  // Whoever is about to send one has renewed its `used_at`, so that it is no longer due.
  await collection.updateMany(
    { _id: { $in: ids.filter((id) => !isPicture(id)) }, ...isDue },
    { $set: { is_deleted: true }, $unset: { unsent: true } },
  );
  return due.length === batch;
}

/** Removes what an unfinished upload stored, except the bytes of a document that it did get. */
async function endPending(
  { collections, kinds, storage }: CleanUpOptions,
  { _id, keys }: PendingUploadDocument,
): Promise<void> {
  const { pending_uploads: pending } = collections;
  await pending.updateOne({ _id }, { $set: { abandoned: true } });
  const [asMedia, asFile] = await Promise.all([
    kinds.media.collection.findOne({ _id }),
    kinds.file.collection.findOne({ _id }),
  ]);
  const document = asMedia ?? asFile;
  const owned = document ? keysOf(document) : [];
  for (const key of keys.filter((key) => !owned.includes(key))) await storage.remove(key);
  await pending.deleteOne({ _id });
}
