/** The groups domain, put together. */
import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { LookupCache } from '../conversations/lookup-cache.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Visibility } from '../conversations/visibility.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import { toWire } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import { toWireGroup } from '../model/views/group.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { createAnnounceGroup } from './announcement.ts';
import { createGroupCommands } from './commands.ts';
import { createFollowUp } from './follow-up.ts';
import { createGroupLimit } from './group-limit.ts';
import { createRooms } from './rooms.ts';
import { createStays } from './stays.ts';
import { succeedAdmin } from './succession.ts';

export interface GroupDomainOptions {
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
  /** Who can be put into a group: anyone, or only accepted contacts of the one who acts. */
  canAdd: 'anyone' | 'contacts';
  /** Whether the user may make this upload an icon; throws if not. */
  checkIcon(userId: string, mediaId: string): Promise<void>;
  /** Users are no longer in a group. Resolves when they have left its call. */
  onRemoved(userIds: string[], groupId: string): Promise<void>;
  maxMembers: number;
  clock(): Date;
  log: Logger;
}

export interface GroupDomain {
  handlers: HandlersOf<'group'>;
  /** Wherever the user was the last active admin, makes the longest-standing active member an admin too. */
  succeedAdmin(userId: string): Promise<void>;
}

export function createGroupDomain(options: GroupDomainOptions): GroupDomain {
  const { collections, bus, visibility, lookups, onRemoved, clock, log } = options;
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
  const followUp = createFollowUp({ rooms, stays, onRemoved, log });
  return {
    handlers: createGroupCommands({
      ...options,
      outbox,
      stays,
      limit: createGroupLimit(collections),
      announce,
      followUp,
    }),
    succeedAdmin: (userId) =>
      lookups.changing(undefined, () => succeedAdmin(collections, outbox, announce, userId, clock())),
  };
}
