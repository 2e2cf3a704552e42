/**
 * Changes of a group's document. A change reads the document, decides, and makes one conditional update whose filter
 * repeats what the decision rested on. If another command was quicker, the filter matches nothing, and the change
 * decides again on the new document.
 */
import type { Filter, ObjectId, UpdateFilter } from 'mongodb';
import type { GroupReason } from '../../shared/contract/groups.ts';
import { type AssertTime, startTime } from '../lib/deadline.ts';
import { unavailable } from '../lib/errors.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import type { News, OutboxSource } from '../outbox/outbox.ts';

/** How often a change decides again before it gives up. */
const MAX_ATTEMPTS = 20;

/** What a change decided: the update is made only if the document still matches the guard. */
export interface Decision {
  guard: Filter<GroupDocument>;
  update: UpdateFilter<GroupDocument> | object[];
  /** What is told of it. Without it nobody is told, and the version stays as it is. */
  news?: GroupEvent;
}

/** As in `group:updated`. */
export interface GroupEvent extends News {
  reason: GroupReason;
  actor_id: ObjectId;
}

/**
 * Changes a group by optimistic concurrency control.
 * @param find reads the document; throws if the caller may not change it
 * @param decide what to do with the document as read; undefined if there is nothing to change
 * @param assertTime the time that is left for it
 * @returns the group after the change, and whether it changed
 * @throws ContractError `unavailable` if other commands kept getting there first or the time is over, and whatever
 * `find` and `decide` throw
 */
export async function changeGroup(
  outbox: OutboxSource<GroupDocument>,
  find: () => Promise<GroupDocument>,
  decide: (group: GroupDocument) => Decision | undefined | Promise<Decision | undefined>,
  assertTime: AssertTime = startTime(),
): Promise<{ group: GroupDocument; changed: boolean }> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const group = await find();
    const decision = await decide(group);
    if (!decision) return { group, changed: false };
    assertTime();
    const changed = await outbox.change(
      { _id: group._id, is_active: true, ...decision.guard },
      decision.news ? withNextVersion(decision.update) : decision.update,
      decision.news,
    );
    if (changed) return { group: changed, changed: true };
  }
  throw unavailable('the group is changing too quickly; try again');
}

/** The update, which also increments the group's version. */
function withNextVersion(update: Decision['update']): Decision['update'] {
  if (!Array.isArray(update)) return { ...update, $inc: { ...update.$inc, version: 1 } };
  return [...update, { $set: { version: { $add: [{ $ifNull: ['$version', 0] }, 1] } } }];
}
