/** Contacts and profiles, put together. */
import type { Bus } from '../bus/bus.ts';
import type { AccessMemory } from '../conversations/access-memory.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import type { Collections } from '../model/collections.ts';
import { createContacts } from './contacts.ts';
import { createPairs } from './pairs.ts';
import { createProfiles, type Profiles } from './profiles.ts';

export interface ContactDomainOptions {
  collections: Collections;
  bus: Bus;
  accessMemory: AccessMemory;
  /** Whether the viewer may see the presence of each user, in the order asked. */
  maySeePresence(viewerId: string, userIds: string[]): Promise<boolean[]>;
  onBecameContacts(one: string, other: string): void;
  /** The one blocks the other: nothing passes between them from now on. */
  onBlocked(one: string, other: string): void;
  clock(): Date;
}

export interface ContactDomain {
  handlers: HandlersOf<'contact' | 'user'>;
  /** Tells the user's contacts how the profile is now. */
  tellContacts: Profiles['tellContacts'];
}

export function createContactDomain(options: ContactDomainOptions): ContactDomain {
  const { collections, bus, accessMemory, maySeePresence, onBecameContacts, onBlocked, clock } = options;
  const pairs = createPairs({ collections, bus, onBecameContacts, clock });
  const contacts = createContacts({ collections, pairs, accessMemory, onBlocked, clock });
  const profiles = createProfiles({ collections, bus, maySeePresence });
  return {
    handlers: {
      'contact:request': contacts.request,
      'contact:accept': contacts.accept,
      'contact:reject': contacts.reject,
      'contact:remove': contacts.remove,
      'contact:block': contacts.block,
      'contact:unblock': contacts.unblock,
      'contact:update': contacts.update,
      'contact:list': contacts.list,
      'user:search': profiles.search,
      'user:get': profiles.get,
    },
    tellContacts: profiles.tellContacts,
  };
}
