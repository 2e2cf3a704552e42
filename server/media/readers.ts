/** Who may read an upload (PROTOCOL section 9), asked at every reading. */
import type { ObjectId } from 'mongodb';
import type { Collections } from '../model/collections.ts';
import type { FileDocument, MediaDocument } from '../model/documents.ts';
import type { Visibility } from '../conversations/visibility.ts';

export interface Readers {
  /**
   * Whether a user may read an upload that is not deleted: its uploader; who may read a message that it was sent in;
   * everybody while it is a profile picture or the icon of a group.
   */
  mayRead(userId: ObjectId, upload: MediaDocument | FileDocument): Promise<boolean>;
}

export function createReaders(collections: Collections, visibility: Visibility): Readers {
  const { users, messages, group_messages, groups, memberships } = collections;

  // Deleting a message takes its attachment away, so what is found here is there to be read.
  async function wasSentTo(userId: ObjectId, uploadId: ObjectId): Promise<boolean> {
    const filter = { 'attachment.media_id': uploadId, recipient_id: userId };
    return (await messages.findOne(filter, { projection: { _id: 1 } })) !== null;
  }

  async function isInGroupOf(userId: ObjectId, uploadId: ObjectId): Promise<boolean> {
    const sent = await group_messages
      .aggregate<{ _id: ObjectId; seq: number }>([
        { $match: { 'attachment.media_id': uploadId } },
        { $group: { _id: '$group_id', seq: { $max: '$seq' } } },
      ])
      .toArray();
    if (sent.length === 0) return false;
    const ids = sent.map(({ _id }) => _id);
    const [mine, places] = await Promise.all([
      groups.find({ _id: { $in: ids }, members: userId, is_active: true }, { projection: { _id: 1 } }).toArray(),
      memberships
        .find(
          { user_id: userId, conversation_id: { $in: ids.map((id) => id.toHexString()) } },
          { projection: { _id: 0, conversation_id: 1, from_seq: 1 } },
        )
        .toArray(),
    ]);
    const newest = new Map(sent.map(({ _id, seq }) => [_id.toHexString(), seq]));
    const membershipOf = new Map(places.map((membership) => [membership.conversation_id, membership]));
    return mine.some(({ _id }) => {
      const id = _id.toHexString();
      return newest.get(id)! > visibility.fromSeq(membershipOf.get(id));
    });
  }

  async function isShown(uploadId: string): Promise<boolean> {
    const projection = { _id: 1 };
    const [user, group] = await Promise.all([
      users.findOne({ profile_picture: uploadId }, { projection }),
      groups.findOne({ icon: uploadId, is_active: true }, { projection }),
    ]);
    return user !== null || group !== null;
  }

  return {
    async mayRead(userId, upload) {
      if (upload.uploader_id.equals(userId)) return true;
      const isImage = 'media_type' in upload && upload.media_type === 'image';
      const ways = await Promise.all([
        wasSentTo(userId, upload._id),
        isInGroupOf(userId, upload._id),
        isImage && isShown(upload._id.toHexString()),
      ]);
      return ways.some(Boolean);
    },
  };
}
