/** The wire form of contacts, and of users as their contacts see them. */
import type { Contact, PublicUser } from '../../shared/contract/documents.ts';
import { notFound } from '../lib/errors.ts';
import { toWire } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents/accounts.ts';
import type { ContactDocument } from '../model/documents/contacts.ts';
import { toPublicUser } from '../model/views/user.ts';

/** A user as seen by those who may see the user's presence too. */
export function toKnownUser(user: UserDocument): PublicUser {
  return { ...toPublicUser(user), last_seen: user.last_seen.toISOString() };
}

/**
 * The wire form of a contact for its owner.
 * @param user whom the contact is about
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

/** The wire form of a contact, with its user looked up; undefined if there is no such user. */
export async function viewContact(
  { users }: Pick<Collections, 'users'>,
  contact: ContactDocument,
): Promise<Contact | undefined> {
  const user = await users.findOne({ _id: contact.contact_id });
  return user ? toWireContact(contact, user) : undefined;
}

/**
 * The answer of a command that leaves a document.
 * @throws ContractError `not_found` if another command has removed it meanwhile
 */
export async function answerWith(
  collections: Pick<Collections, 'users'>,
  contact: ContactDocument | undefined,
): Promise<{ contact: Contact }> {
  const view = contact && (await viewContact(collections, contact));
  if (!view) throw notFound('no such contact');
  return { contact: view };
}
