import type { Contact, PublicUser } from '../../shared/contract/documents.ts';
import { toPublicUser } from '../model/views/user.ts';
import type { UserDocument } from '../model/documents/accounts.ts';
import type { ContactDocument } from '../model/documents/contacts.ts';
import { toWire } from '../model/codec.ts';

/** What those see of a user who may see the presence too. */
export function toKnownUser(user: UserDocument): PublicUser {
  return { ...toPublicUser(user), last_seen: user.last_seen.toISOString() };
}

/**
 * The wire form of a contact for its owner.
 * @param user the one that it is about
 */
export function toWireContact(contact: ContactDocument, user: UserDocument): Contact {
  const { _id, user_id, contact_id, status, direction, created_at, updated_at, notes, is_favorite } = contact;
  return {
    ...toWire({ _id, user_id, contact_id, status, created_at, updated_at }),
    ...(direction === undefined ? {} : { direction }),
    ...(notes === undefined ? {} : { notes }),
    ...(is_favorite === undefined ? {} : { is_favorite }),
    user: status === 'accepted' ? toKnownUser(user) : toPublicUser(user),
  };
}
