/** Which of a user's places `sync` lists. */
import type { Collections } from '../model/collections.ts';
import { ONE_BATCH } from './one-batch.ts';
import type { Place } from './place.ts';

type ChangeSources = Pick<Collections, 'memberships' | 'users'>;

/**
 * Keeps the places in which anything changed since a time, or whose conversation is ahead of the client.
 * @param revs the `rev` up to which the client has each conversation, by id
 */
export async function changedPlaces(
  collections: ChangeSources,
  places: Place[],
  revs: ReadonlyMap<string, number>,
  since: Date,
): Promise<Place[]> {
  const changedByOthers = await findChangedByOthers(collections, places, since);
  return places.filter(({ id, summary, membership, group }) => {
    const known = revs.get(id);
    return (
      (known !== undefined && known < summary.rev) ||
      changedByOthers.has(id) ||
      [summary.changed_at, membership.changed_at, group?.updated_at].some((at) => at && at >= since)
    );
  });
}

/** The ids of conversations in which the marks of anyone grew, or the peer's profile changed. */
async function findChangedByOthers(
  { memberships, users }: ChangeSources,
  places: Place[],
  since: Date,
): Promise<Set<string>> {
  const peerIds = places.flatMap(({ membership }) => membership.peer_id ?? []);
  const [marks, peers] = await Promise.all([
    memberships
      .find(
        { conversation_id: { $in: places.map(({ id }) => id) }, marks_at: { $gte: since } },
        { projection: { _id: 0, conversation_id: 1 }, batchSize: ONE_BATCH },
      )
      .toArray(),
    users
      .find({ _id: { $in: peerIds }, updated_at: { $gte: since } }, { projection: { _id: 1 }, batchSize: ONE_BATCH })
      .toArray(),
  ]);
  const changedPeers = new Set(peers.map(({ _id }) => _id.toHexString()));
  return new Set([
    ...marks.map(({ conversation_id }) => conversation_id),
    ...places.flatMap(({ id, membership: { peer_id } }) =>
      peer_id && changedPeers.has(peer_id.toHexString()) ? [id] : [],
    ),
  ]);
}
