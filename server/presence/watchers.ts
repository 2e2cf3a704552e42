/** Telling a user's contacts, and nobody else, of the user's presence (`presence:changed`). */
import type { Presence } from '../../shared/contract/documents.ts';
import type { Bus } from '../bus/bus.ts';
import type { Audience } from '../conversations/audience.ts';
import { stateOf } from '../model/state.ts';
import { type PresenceStore, toPresence } from './presence-store.ts';

export interface Watchers {
  /** Tells the user's contacts how the user is shown now. */
  tell(userId: string): Promise<void>;
  /** Tells two users who have become contacts of each other's presence. */
  becameContacts(one: string, other: string): Promise<void>;
}

export interface WatchersOptions {
  audience: Pick<Audience, 'contactsOf'>;
  store: PresenceStore;
  bus: Bus;
}

export function createWatchers({ audience, store, bus }: WatchersOptions): Watchers {
  /** @param version of the document; 0 without one, because one made meanwhile may have been told already */
  function emit(users: string[], presence: Presence, version = 0): void {
    const state = stateOf('presence', presence.user_id, version);
    bus.emit({ users }, 'presence:changed', { presence }, { by: presence.user_id }, state);
  }

  return {
    async tell(userId) {
      const contacts = await audience.contactsOf(userId);
      const document = contacts.length > 0 ? (await store.read([userId])).get(userId) : undefined;
      if (document) emit(contacts, toPresence(document), document.version);
    },
    async becameContacts(one, other) {
      const documents = await store.read([one, other]);
      for (const [subject, viewer] of [
        [one, other],
        [other, one],
      ] as const) {
        const document = documents.get(subject);
        const shown = document ? toPresence(document) : (await store.readHidden([subject])).get(subject);
        if (shown) emit([viewer], shown, document?.version);
      }
    },
  };
}
