/** The contacts domain, put together: contacts, blocks, and users as others see them. */
import type { Bus } from '../bus/bus.ts';
import type { Audience } from '../conversations/audience.ts';
import type { LookupCache } from '../conversations/lookup-cache.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import type { Collections } from '../model/collections.ts';
import { announceProfile, createContactAnnouncements } from './announcements.ts';
import { createContactCommands } from './commands.ts';
import { createEraseContacts } from './erase-contacts.ts';
import { createPairDocuments } from './pair-documents.ts';
import { createReconcile } from './reconciliation.ts';

export interface ContactDomainOptions {
  collections: Collections;
  bus: Bus;
  audience: Audience;
  lookups: Pick<LookupCache, 'changing'>;
  /** Two users have become contacts. */
  onBecameContacts(one: string, other: string): void;
  /** One blocks the other. Resolves when nothing passes between them any more. */
  onBlocked(one: string, other: string): Promise<void>;
  clock(): Date;
}

export interface ContactDomain {
  handlers: HandlersOf<'contact' | 'user'>;
  /** Tells the user's contacts what the profile looks like now. */
  tellContacts(userId: string): Promise<void>;
  /** Removes a user's contacts, on both sides, and own blocks. Repeatable. */
  erase(userId: string): Promise<void>;
}

export function createContactDomain(options: ContactDomainOptions): ContactDomain {
  const { collections, bus, audience, onBecameContacts, clock } = options;
  const announce = createContactAnnouncements(collections, bus);
  const pairs = createPairDocuments({ collections, announce, clock });
  const reconcile = createReconcile(pairs, onBecameContacts);
  return {
    handlers: createContactCommands({ ...options, pairs, reconcile, announce }),
    erase: createEraseContacts(collections, pairs),
    tellContacts: (userId) => announceProfile(collections, audience, bus, userId),
  };
}
