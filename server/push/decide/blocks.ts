/** Blocks that keep messages from being pushed, either way. */
import type { ObjectId } from 'mongodb';
import { fromId } from '../../model/codec.ts';
import type { Collections } from '../../model/collections.ts';
import { refFromId } from '../../model/conversation-ref.ts';
import type { PushJobDocument } from '../../model/documents/push.ts';

type Job = Pick<PushJobDocument, 'user_id' | 'subject'>;

/** @returns for each job, the users across a block from its user: in a pair the other one, in a group anybody */
export async function readBlocked(
  { contacts }: Pick<Collections, 'contacts'>,
  jobs: readonly Job[],
): Promise<ObjectId[][]> {
  const refs = jobs.map(({ subject }) => refFromId(subject));
  const inPairs = refs.flatMap((ref) => (ref.kind === 'direct' ? ref.user_ids.map(fromId) : []));
  const inGroups = jobs.flatMap(({ user_id }, i) => (refs[i]!.kind === 'group' ? [user_id] : []));
  const found = await contacts
    .find(
      {
        $or: [
          { user_id: { $in: inPairs }, contact_id: { $in: inPairs }, status: 'blocked' },
          { user_id: { $in: inGroups }, status: 'blocked' },
          { contact_id: { $in: inGroups }, status: 'blocked' },
        ],
      },
      { projection: { _id: 0, user_id: 1, contact_id: 1 }, batchSize: 1000 },
    )
    .toArray();
  const blocked = new Map<string, ObjectId[]>();
  const note = (id: ObjectId, other: ObjectId) => {
    const key = id.toHexString();
    const known = blocked.get(key);
    if (known) known.push(other);
    else blocked.set(key, [other]);
  };
  for (const { user_id, contact_id } of found) {
    note(user_id, contact_id);
    note(contact_id, user_id);
  }
  return jobs.map(({ user_id }, i) => {
    const all = blocked.get(user_id.toHexString()) ?? [];
    const ref = refs[i]!;
    return ref.kind === 'direct' ? all.filter((id) => ref.user_ids.includes(id.toHexString())) : all;
  });
}
