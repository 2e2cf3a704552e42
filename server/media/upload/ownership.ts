/** Decides who may use an upload in a message, as a profile picture or as a group icon. */
import type { ObjectId } from 'mongodb';
import { invalid, notFound } from '../../lib/errors.ts';
import { fromId } from '../../model/codec.ts';
import type { Collections } from '../../model/collections.ts';
import type { MessageDocument } from '../../model/documents/messages.ts';

type UploadType = Exclude<MessageDocument['message_type'], 'text'>;

export interface Ownership {
  /**
   * Checks that a user may send an upload.
   * @throws ContractError `not_found` for another user's or an unknown upload, `validation_failed` for one of the wrong
   *   type
   */
  check(userId: string, type: MessageDocument['message_type'], mediaId: ObjectId): Promise<void>;
  /** Notes on the upload which message it was sent in. Call it once the message is stored. */
  sent(message: MessageDocument): Promise<void>;
  /**
   * Checks that a user may make an upload a profile picture or group icon.
   * @throws ContractError `not_found` for another user's or an unknown upload, `validation_failed` for anything but an
   *   image
   */
  checkPicture(userId: string, mediaId: string): Promise<void>;
}

export function createOwnership({ media, files }: Pick<Collections, 'media' | 'files'>, clock: () => Date): Ownership {
  /**
   * Finds a user's own upload, and in the same step renews `used_at`, so that the clean-up passes it over.
   * @param type what it must be
   * @param path the field of the payload that names it
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
    async sent(message) {
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
