/** Telling users that their contact documents changed, and their contacts that their profiles did. */
import type { Bus } from '../bus/bus.ts';
import type { Audience } from '../conversations/audience.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { ContactDocument } from '../model/documents/contacts.ts';
import { stateOf } from '../model/state.ts';
import { toKnownUser, viewContact } from './contact-view.ts';

/** The version of a document that is gone. Nothing supersedes it: the next document has another `_id`. */
const REMOVED = Number.MAX_SAFE_INTEGER;

export interface ContactAnnouncements {
  /** Tells the owner's devices, except the acting socket, of a document that was inserted or changed. */
  updated(contact: ContactDocument, socket?: string): Promise<void>;
  /** Tells the owner's devices, except the acting socket, of a document that went away. */
  removed(contact: ContactDocument, socket?: string): void;
}

export function createContactAnnouncements(collections: Pick<Collections, 'users'>, bus: Bus): ContactAnnouncements {
  return {
    async updated(document, socket) {
      const contact = await viewContact(collections, document);
      if (!contact) return;
      const state = stateOf('contact', document._id, document.version);
      bus.emit({ users: [contact.user_id] }, 'contact:updated', { contact }, { socket }, state);
    },
    removed({ _id, user_id, contact_id }, socket) {
      const to = { users: [user_id.toHexString()] };
      const state = stateOf('contact', _id, REMOVED);
      bus.emit(to, 'contact:removed', { user_id: contact_id.toHexString() }, { socket }, state);
    },
  };
}

/** Tells a user's contacts what the profile looks like now. */
export async function announceProfile(
  { users }: Pick<Collections, 'users'>,
  audience: Pick<Audience, 'contactsOf'>,
  bus: Bus,
  userId: string,
): Promise<void> {
  const [user, contacts] = await Promise.all([users.findOne({ _id: fromId(userId) }), audience.contactsOf(userId)]);
  if (!user || contacts.length === 0) return;
  const state = stateOf('user', user._id, user.version);
  bus.emit({ users: contacts }, 'user:updated', { user: toKnownUser(user) }, { by: userId }, state);
}
