/** What uploads are used for: by messages, and as pictures. */
import type { ObjectId } from 'mongodb';
import type { Collections } from '../../model/collections.ts';

/** Which of these uploads a message carries: a crash may have kept the sending from being noted on them. */
export async function sentAmong(
  { messages, group_messages }: Pick<Collections, 'messages' | 'group_messages'>,
  ids: ObjectId[],
): Promise<ObjectId[]> {
  const filter = { 'attachment.media_id': { $in: ids } };
  const found = await Promise.all([
    messages.distinct('attachment.media_id', filter),
    group_messages.distinct('attachment.media_id', filter),
  ]);
  return found.flat() as ObjectId[];
}

/** Which of these uploads, by their ids as hex characters, are profile pictures or group icons. */
export async function picturesAmong(
  { users, groups }: Pick<Collections, 'users' | 'groups'>,
  ids: ObjectId[],
): Promise<Set<string | null>> {
  const names = ids.map((id) => id.toHexString());
  const found = await Promise.all([
    users.distinct('profile_picture', { profile_picture: { $in: names } }),
    groups.distinct('icon', { icon: { $in: names }, is_active: true }),
  ]);
  return new Set(found.flat());
}
