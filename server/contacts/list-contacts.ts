import type { Handler } from '../dispatch/handlers.ts';
import type { Collections } from '../model/collections.ts';
import type { ContactDocument } from '../model/documents/contacts.ts';
import { toWireContact } from './contact-view.ts';
import { nextStep } from './pair-rules.ts';
import type { Reconcile } from './reconciliation.ts';

/** Longer than any command takes, in milliseconds: what is unfinished after that was left by a crash. */
const LEFT_BEHIND_MS = 10_000;

export interface ListContactsOptions {
  collections: Pick<Collections, 'contacts' | 'users'>;
  reconcile: Reconcile;
  clock(): Date;
}

/** `contact:list`: first reconciles those of the caller's pairs that a crash left unfinished. */
export function createListContacts({ collections, reconcile, clock }: ListContactsOptions): Handler<'contact:list'> {
  const { contacts, users } = collections;
  return async (caller, { status }) => {
    const readAll = () => contacts.find({ user_id: caller.userId }).toArray();
    const [own, others] = await Promise.all([
      readAll(),
      contacts.find({ contact_id: caller.userId, status: { $in: ['pending', 'accepted'] } }).toArray(),
    ]);
    const leftBehind = unfinished(own, others, new Date(clock().getTime() - LEFT_BEHIND_MS));
    for (const userId of leftBehind) await reconcile(caller.id, userId);
    const all = leftBehind.length > 0 ? await readAll() : own;
    const listed = all.filter((contact) => status === undefined || contact.status === status);
    const found = await users.find({ _id: { $in: listed.map(({ contact_id }) => contact_id) } }).toArray();
    const byId = new Map(found.map((user) => [user._id.toHexString(), user]));
    return {
      contacts: listed.flatMap((contact) => {
        const user = byId.get(contact.contact_id.toHexString());
        return user ? [toWireContact(contact, user)] : [];
      }),
    };
  };
}

/**
 * The users whose pair with the owner does not fit together and has not changed lately. So neither a command in progress
 * nor a change between the two reads passes for a crash.
 */
function unfinished(own: ContactDocument[], others: ContactDocument[], before: Date): string[] {
  const mine = new Map(own.map((contact) => [contact.contact_id.toHexString(), contact]));
  const theirs = new Map(others.map((contact) => [contact.user_id.toHexString(), contact]));
  return [...new Set([...mine.keys(), ...theirs.keys()])].filter((userId) => {
    const one = mine.get(userId);
    const other = theirs.get(userId);
    const untouched = [one, other].every((contact) => !contact || contact.updated_at < before);
    return untouched && nextStep(one, other) !== undefined;
  });
}
