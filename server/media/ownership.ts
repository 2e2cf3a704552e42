/** What messages and profiles ask of uploads. */
import type { ObjectId } from 'mongodb';
import type { Collections } from '../database/collections.ts';
import type { MessageDocument } from '../database/documents.ts';
import { fromId } from '../database/wire.ts';
import { invalid, notFound } from '../errors.ts';
import type { Attachments } from '../messaging/messages.ts';

export interface Ownership extends Attachments {
  /**
   * Whether a user may make an upload a profile picture or group icon.
   * @throws ContractError `not_found` unless it is an own upload, `validation_failed` unless it is an image
   */
  checkPicture(userId: string, mediaId: string): Promise<void>;
}

/** @param collections the collections of the database */
export function createOwnership({ media, files }: Collections): Ownership {
  async function ownMedia(userId: string, mediaId: ObjectId, type: string): Promise<void> {
    const found = await media.findOne({ _id: mediaId, uploader_id: fromId(userId), is_deleted: false });
    if (!found) throw notFound('no such upload');
    if (found.media_type !== type) throw invalid('media_id', `is not ${type}`);
  }

  return {
    async check(userId, type, mediaId) {
      if (type !== 'document') return ownMedia(userId, mediaId, type);
      const found = await files.findOne({ _id: mediaId, uploader_id: fromId(userId), is_deleted: false });
      if (!found) throw notFound('no such upload');
    },
    async sent(message: MessageDocument) {
      const mediaId = message.attachment?.media_id;
      if (!mediaId) return;
      const named = 'group_id' in message ? { group_message_id: message._id } : { message_id: message._id };
      if (message.message_type === 'document') await files.updateOne({ _id: mediaId }, { $set: named });
      else await media.updateOne({ _id: mediaId }, { $set: named });
    },
    checkPicture: (userId, mediaId) => ownMedia(userId, fromId(mediaId), 'image'),
  };
}
