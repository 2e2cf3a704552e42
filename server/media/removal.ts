/** The end of uploads: by their uploaders, and of what nobody needs or a crash left. Safe on every node at once. */
import type { Collection, ObjectId } from 'mongodb';
import type { Logger } from 'pino';
import type { Collections } from '../model/collections.ts';
import type { FileDocument, MediaDocument, PendingUploadDocument } from '../model/documents.ts';
import type { MediaStorage } from './storage.ts';
import { keysOf } from './uploads.ts';

/** What is never sent, nor shown as a picture, lives so long, in milliseconds. */
const UNSENT_MS = 24 * 60 * 60 * 1000;
const BATCH = 100;

/** What both kinds of uploads have. */
type Upload = MediaDocument | FileDocument;
type UploadCollection = Collection<Upload>;

export interface Removal {
  /** Deletes an own upload with its bytes; false when there is none of this id that is one's own. */
  remove<D extends Upload>(collection: Collection<D>, uploadId: ObjectId, uploaderId: ObjectId): Promise<boolean>;
  /**
   * Removes uploads never sent within a day, bytes whose document is deleted, and bytes that never got one.
   * @param now the time that ages are counted from
   */
  cleanUp(now: Date): Promise<void>;
}

export interface RemovalOptions {
  collections: Collections;
  storage: MediaStorage;
  log: Logger;
}

export function createRemoval({ collections, storage, log }: RemovalOptions): Removal {
  const { users, groups, messages, group_messages, pending_uploads: pending } = collections;
  const uploads = [collections.media, collections.files] as unknown as UploadCollection[];

  async function removeBytes(collection: UploadCollection, upload: Upload): Promise<void> {
    try {
      for (const key of keysOf(upload)) await storage.remove(key);
      await collection.updateOne({ _id: upload._id }, { $unset: { stored: true } });
    } catch (err) {
      log.warn({ err, upload: upload._id }, 'bytes of a deleted upload are left to the clean-up');
    }
  }

  /** Which of these uploads some message carries: one may have been sent just before a crash. */
  async function sentAmong(ids: ObjectId[]): Promise<ObjectId[]> {
    const filter = { 'attachment.media_id': { $in: ids } };
    const found = await Promise.all([
      messages.distinct('attachment.media_id', filter),
      group_messages.distinct('attachment.media_id', filter),
    ]);
    return found.flat() as ObjectId[];
  }

  async function shownAmong(ids: ObjectId[]): Promise<Set<string | null>> {
    const names = ids.map((id) => id.toHexString());
    const found = await Promise.all([
      users.distinct('profile_picture', { profile_picture: { $in: names } }),
      groups.distinct('icon', { icon: { $in: names }, is_active: true }),
    ]);
    return new Set(found.flat());
  }

  /** Marks a batch of what was never sent as deleted; true while there may be more. */
  async function endUnsent(collection: UploadCollection, now: Date): Promise<boolean> {
    const isDue = { unsent: true as const, used_at: { $lte: new Date(now.getTime() - UNSENT_MS) } };
    const due = await collection
      .find(isDue, { projection: { _id: 1 } })
      .sort({ used_at: 1 })
      .limit(BATCH)
      .toArray();
    if (due.length === 0) return false;
    const ids = due.map(({ _id }) => _id);
    const [sent, shown] = await Promise.all([sentAmong(ids), shownAmong(ids)]);
    await collection.updateMany({ _id: { $in: sent } }, { $unset: { unsent: true } });
    const isShown = (id: ObjectId) => shown.has(id.toHexString());
    // Asked again after another day.
    await collection.updateMany({ _id: { $in: ids.filter(isShown) }, ...isDue }, { $set: { used_at: now } });
    // Whoever is about to send one has renewed `used_at` first: then this finds it no more.
    await collection.updateMany(
      { _id: { $in: ids.filter((id) => !isShown(id)) }, ...isDue },
      { $set: { is_deleted: true }, $unset: { unsent: true } },
    );
    return due.length === BATCH;
  }

  async function endPending({ _id, keys }: PendingUploadDocument): Promise<void> {
    await pending.updateOne({ _id }, { $set: { abandoned: true } });
    const [document] = (await Promise.all(uploads.map((collection) => collection.findOne({ _id })))).filter(Boolean);
    const owned = document ? keysOf(document) : [];
    for (const key of keys.filter((key) => !owned.includes(key))) await storage.remove(key);
    await pending.deleteOne({ _id });
  }

  return {
    async remove(typed, uploadId, uploaderId) {
      const collection = typed as unknown as UploadCollection;
      const removed = await collection.findOneAndUpdate(
        { _id: uploadId, uploader_id: uploaderId, is_deleted: false },
        { $set: { is_deleted: true }, $unset: { unsent: true } },
      );
      if (removed) await removeBytes(collection, removed);
      return removed !== null;
    },
    async cleanUp(now) {
      for (const collection of uploads) {
        while (await endUnsent(collection, now));
        for await (const upload of collection.find({ is_deleted: true, stored: true })) {
          await removeBytes(collection, upload);
        }
      }
      for await (const overdue of pending.find({ expires_at: { $lte: now } })) await endPending(overdue);
    },
  };
}
