/** Groups, put together. */
import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { AccessMemory } from '../conversations/access-memory.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Visibility } from '../conversations/visibility.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import type { Collections } from '../model/collections.ts';
import { createGroups } from './groups.ts';
import { createRooms } from './rooms.ts';
import { createStays } from './stays.ts';
import { succeedAdmin } from './succession.ts';

export interface GroupDomainOptions {
  collections: Collections;
  store: Pick<MessageStore, 'newest'>;
  bus: Bus;
  visibility: Visibility;
  accessMemory: AccessMemory;
  /** Whether one of two users blocks the other. */
  isBlocked(one: string, other: string): Promise<boolean>;
  /** Whether the user may make this upload an icon; throws when not. */
  checkIcon(userId: string, mediaId: string): Promise<void>;
  /** Users are no longer in a group. */
  onRemoved(userIds: string[], groupId: string): void;
  maxMembers: number;
  clock(): Date;
  log: Logger;
}

export interface GroupDomain {
  handlers: HandlersOf<'group'>;
  /** Wherever the user was the last active admin, the longest-standing active member becomes one too. */
  succeedAdmin(userId: string): Promise<void>;
}

export function createGroupDomain(options: GroupDomainOptions): GroupDomain {
  const { collections, bus, visibility, accessMemory, clock } = options;
  const groups = createGroups({
    ...options,
    stays: createStays(collections, clock),
    rooms: createRooms(collections, bus, visibility),
  });
  return {
    handlers: {
      'group:create': groups.create,
      'group:get': groups.get,
      'group:list': groups.list,
      'group:update': groups.update,
      'group:add_members': groups.addMembers,
      'group:remove_member': groups.removeMember,
      'group:leave': groups.leave,
      'group:set_admin': groups.setAdmin,
      'group:delete': groups.remove,
    },
    succeedAdmin: (userId) => accessMemory.changing(undefined, () => succeedAdmin(collections, bus, userId, clock())),
  };
}
