/** What messages, profiles and groups ask of uploads. */
import type { ObjectId } from 'mongodb';
import type { Collections } from '../model/collections.ts';
import type { MessageDocument } from '../model/documents.ts';
import { fromId } from '../model/codec.ts';
import { invalid, notFound } from '../lib/errors.ts';

type UploadType = Exclude<MessageDocument['message_type'], 'text'>;

export interface Ownership {
  /**
   * Whether a user may send an upload.
   * @throws ContractError `not_found` for another's or an unknown upload, `validation_failed` for one of the wrong kind
   */
  check(userId: string, type: MessageDocument['message_type'], mediaId: ObjectId): Promise<void>;
  /** The message was stored: the upload learns which one it was sent in. */
  sent(message: MessageDocument): Promise<void>;
  /**
   * Whether a user may make an upload a profile picture or group icon.
   * @throws ContractError `not_found` unless it is an own upload, `validation_failed` unless it is an image
   */
  checkPicture(userId: string, mediaId: string): Promise<void>;
}

/** @param collections the collections of the database */
export function createOwnership({ media, files }: Collections, clock: () => Date): Ownership {
  /**
   * Finds an own upload, and in the same step keeps it from the clean-up until it is used.
   * @param type what it must be
   * @param path the field that names it
   */
  async function claim(userId: string, uploadId: ObjectId, type: UploadType, path: string): Promise<void> {
    const own = { _id: uploadId, uploader_id: fromId(userId), is_deleted: false };
    const claimed = { $max: { used_at: clock() } };
    const projection = { media_type: 1 };
    const [asMedia, asFile] = await Promise.all([
      media.findOneAndUpdate(own, claimed, { projection }),
      files.findOneAndUpdate(own, claimed, { projection }),
    ]);
    const found = asMedia?.media_type ?? (asFile && 'document');
    if (!found) throw notFound('no such upload');
    if (found !== type) throw invalid(path, `is not ${type}`);
  }

  return {
    async check(userId, type, mediaId) {
      if (type === 'text') throw invalid('attachment', 'does not belong to a text');
      await claim(userId, mediaId, type, 'attachment.media_id');
    },
    async sent(message: MessageDocument) {
      const mediaId = message.attachment?.media_id;
      if (!mediaId) return;
      const named = 'group_id' in message ? { group_message_id: message._id } : { message_id: message._id };
      const update = { $set: named, $unset: { unsent: true as const } };
      if (message.message_type === 'document') await files.updateOne({ _id: mediaId }, update);
      else await media.updateOne({ _id: mediaId }, update);
    },
    checkPicture: (userId, mediaId) => claim(userId, fromId(mediaId), 'image', 'media_id'),
  };
}
