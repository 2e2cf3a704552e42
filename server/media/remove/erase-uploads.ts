/** Erasing a user's uploads: what no message carries and no group shows. Files that were sent stay with their messages. */
import type { ObjectId } from 'mongodb';
import { fromId } from '../../model/codec.ts';
import type { Collections } from '../../model/collections.ts';
import type { Kinds, UploadCollection } from '../documents/kinds.ts';
import { picturesAmong, sentAmong } from './in-use.ts';
import type { RemoveBytes } from './remove.ts';

export interface EraseUploadsOptions {
  collections: Pick<Collections, 'users' | 'groups' | 'messages' | 'group_messages'>;
  kinds: Kinds;
  removeBytes: RemoveBytes;
}

/** Repeatable: it goes by the uploads that are left. The picture must be gone from the profile before. */
export function createEraseUploads({ collections, kinds, removeBytes }: EraseUploadsOptions) {
  async function erase(collection: UploadCollection, uploader_id: ObjectId): Promise<void> {
    const unsent = await collection.find({ uploader_id, unsent: true }).toArray();
    const ids = unsent.map(({ _id }) => _id);
    const [sent, pictures] = await Promise.all([sentAmong(collections, ids), picturesAmong(collections, ids)]);
    const inUse = new Set([...sent.map((id) => id.toHexString()), ...pictures]);
    for (const { _id } of unsent.filter((upload) => !inUse.has(upload._id.toHexString()))) {
      const removed = await collection.findOneAndUpdate(
        { _id, unsent: true },
        { $set: { is_deleted: true }, $unset: { unsent: true } },
      );
      if (removed) await removeBytes(collection, removed);
    }
  }

  return async (userId: string): Promise<void> => {
    await erase(kinds.media.collection, fromId(userId));
    await erase(kinds.file.collection, fromId(userId));
  };
}
