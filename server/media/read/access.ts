/** Decides who may read an upload (PROTOCOL section 9). Asked at each reading; nothing is cached. */
import type { ObjectId } from 'mongodb';
import type { Visibility } from '../../conversations/visibility.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { notFound } from '../../lib/errors.ts';
import { fromId } from '../../model/codec.ts';
import type { Collections } from '../../model/collections.ts';
import type { UploadCollection, UploadDocument } from '../documents/kinds.ts';

/**
 * Finds an upload for a reader.
 * @throws ContractError `not_found` for one that does not exist, is deleted, or that the reader may not read
 */
export type FindReadable = (collection: UploadCollection, id: string, readerId: ObjectId) => Promise<UploadDocument>;

const ID_ONLY = { projection: { _id: 1 } };

export function createFindReadable(collections: Collections, visibility: Visibility): FindReadable {
  async function mayRead(userId: ObjectId, upload: UploadDocument): Promise<boolean> {
    if (upload.uploader_id.equals(userId)) return true;
    const isImage = 'media_type' in upload && upload.media_type === 'image';
    const ways = await Promise.all([
      wasSentBetween(collections, userId, upload._id),
      isVisibleInGroup(collections, visibility, userId, upload._id),
      isImage && isPicture(collections, upload._id.toHexString()),
    ]);
    return ways.some(Boolean);
  }

  async function find(collection: UploadCollection, id: string, readerId: ObjectId): Promise<UploadDocument> {
    const found = await collection.findOne({ _id: fromId(id), is_deleted: false });
    if (!found || !(await mayRead(readerId, found))) throw notFound('no such upload');
    return found;
  }

  return (collection, id, readerId) => withDeadline(find(collection, id, readerId));
}

/** Whether a direct message carries the upload, to the user or forwarded by the user. Deleted messages carry none. */
async function wasSentBetween({ messages }: Collections, userId: ObjectId, uploadId: ObjectId): Promise<boolean> {
  const carrying = { 'attachment.media_id': uploadId };
  const found = await Promise.all([
    messages.findOne({ ...carrying, recipient_id: userId }, ID_ONLY),
    messages.findOne({ ...carrying, sender_id: userId, 'forwarded.count': { $gt: 0 } }, ID_ONLY),
  ]);
  return found.some((message) => message !== null);
}

/** Whether a group message that the user may see carries the upload. */
async function isVisibleInGroup(
  { group_messages, groups, memberships }: Collections,
  visibility: Visibility,
  userId: ObjectId,
  uploadId: ObjectId,
): Promise<boolean> {
  const sent = await group_messages
    .aggregate<{ _id: ObjectId; seq: number }>([
      { $match: { 'attachment.media_id': uploadId } },
      { $group: { _id: '$group_id', seq: { $max: '$seq' } } },
    ])
    .toArray();
  if (sent.length === 0) return false;
  const groupIds = sent.map(({ _id }) => _id);
  const [mine, found] = await Promise.all([
    groups.find({ _id: { $in: groupIds }, members: userId, is_active: true }, ID_ONLY).toArray(),
    memberships
      .find(
        { user_id: userId, conversation_id: { $in: groupIds.map((id) => id.toHexString()) } },
        { projection: { _id: 0, conversation_id: 1, from_seq: 1 } },
      )
      .toArray(),
  ]);
  const memberOf = new Set(mine.map(({ _id }) => _id.toHexString()));
  const membershipIn = new Map(found.map((membership) => [membership.conversation_id, membership]));
  return sent.some(({ _id, seq }) => {
    const id = _id.toHexString();
    return memberOf.has(id) && seq > visibility.fromSeq(membershipIn.get(id));
  });
}

/** Whether an image is a profile picture or the icon of a group. */
async function isPicture({ users, groups }: Collections, uploadId: string): Promise<boolean> {
  const [user, group] = await Promise.all([
    users.findOne({ profile_picture: uploadId }, ID_ONLY),
    groups.findOne({ icon: uploadId, is_active: true }, ID_ONLY),
  ]);
  return user !== null || group !== null;
}
