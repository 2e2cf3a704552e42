/** Telling members that their group changed (`group:updated`). */
import type { Group } from '../../shared/contract/documents.ts';
import type { GroupReason } from '../../shared/contract/groups.ts';
import type { Bus } from '../bus/bus.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import { stateOf } from '../model/state.ts';
import { toWireGroup } from '../model/views/group.ts';

/** What happened, besides how the group is now. */
export interface GroupNews {
  reason: GroupReason;
  /** The users that it happened to. */
  userIds?: string[];
  /**
   * Users to address by themselves instead of through the group: those who have just joined or left, because not every
   * node may have their devices in the group's room yet, or still.
   */
  directly?: string[];
}

/** The user who changed the group, with the socket that must not hear of it. */
export type Actor = Pick<Caller, 'id' | 'socketId'>;

/**
 * Tells everyone concerned of a group's new state, except the acting socket.
 * @returns the wire form of the group
 */
export type AnnounceGroup = (actor: Actor, document: GroupDocument, news: GroupNews) => Group;

export function createAnnounceGroup(bus: Bus): AnnounceGroup {
  return (actor, document, { reason, userIds, directly = [] }) => {
    const group = toWireGroup(document);
    const news = { group, reason, actor_id: actor.id, ...(userIds ? { user_ids: userIds } : {}) };
    const socket = actor.socketId;
    const state = stateOf('group', document._id, document.version);
    bus.emit({ group: group._id }, 'group:updated', news, { socket, users: directly, by: actor.id }, state);
    if (directly.length > 0) bus.emit({ users: directly }, 'group:updated', news, { socket, by: actor.id }, state);
    return group;
  };
}
