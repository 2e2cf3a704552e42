/** The groups domain, put together. */
import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { Config } from '../config.ts';
import type { LookupCache } from '../conversations/lookup-cache.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Visibility } from '../conversations/visibility.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import { fromId, toWire } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import { toWireGroup } from '../model/views/group.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { createAnnounceGroup } from './announcement.ts';
import { createGroupCommands } from './commands.ts';
import { createEnter } from './entering.ts';
import { createFollowUp } from './follow-up.ts';
import { createGroupLimit } from './group-limit.ts';
import { createJoinRequests } from './invitations/join-requests.ts';
import { createRooms } from './rooms.ts';
import { createStays } from './stays.ts';
import { succeedAdmin } from './succession.ts';

export interface GroupDomainOptions {
  config: Pick<Config, 'groupAdd' | 'groupMaxMembers' | 'publicUrl'>;
  collections: Collections;
  store: Pick<MessageStore, 'highest'>;
  bus: Bus;
  visibility: Visibility;
  lookups: Pick<LookupCache, 'changing'>;
  outbox: Outbox;
  /** Whether one of two users blocks the other. */
  isBlocked(one: string, other: string): Promise<boolean>;
  /** Whether each of the users is an accepted contact of a user. */
  areContacts(userId: string, others: string[]): Promise<boolean[]>;
  /** Whether the user may make this upload an icon; throws if not. */
  checkIcon(userId: string, mediaId: string): Promise<void>;
  /** Users are no longer in a group. Resolves when they have left its call. */
  onRemoved(userIds: string[], groupId: string): Promise<void>;
  clock(): Date;
  log: Logger;
}

export interface GroupDomain {
  handlers: HandlersOf<'group'>;
  /** Wherever the user was the last active admin, makes the longest-standing active member an admin too. */
  succeedAdmin(userId: string): Promise<void>;
  /** Takes back what a user asked to join. Repeatable. */
  erase(userId: string): Promise<void>;
}

export function createGroupDomain(options: GroupDomainOptions): GroupDomain {
  const { config, collections, bus, visibility, lookups, onRemoved, clock, log } = options;
  const stays = createStays(collections, clock);
  const rooms = createRooms(collections, bus, visibility);
  const announce = createAnnounceGroup(bus);
  const outbox = options.outbox.source({
    name: 'group',
    collection: collections.groups,
    type: 'group.updated',
    toData: (group, { reason, actor_id, user_ids }) => ({
      group: toWireGroup(group),
      ...toWire({ reason, actor_id, ...(user_ids ? { user_ids } : {}) }),
    }),
  });
  const requests = createJoinRequests(collections, clock);
  const followUp = createFollowUp({ rooms, stays, requests, onRemoved, log });
  const settings = { canAdd: config.groupAdd, maxMembers: config.groupMaxMembers, publicUrl: config.publicUrl };
  const parts = { ...options, ...settings, outbox, stays, requests, announce, followUp };
  return {
    handlers: createGroupCommands({ ...parts, limit: createGroupLimit(collections), enter: createEnter(parts) }),
    erase: (userId) => requests.erase(fromId(userId)),
    succeedAdmin: (userId) =>
      lookups.changing(undefined, () => succeedAdmin(collections, outbox, announce, userId, clock())),
  };
}
