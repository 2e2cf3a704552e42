/** The two documents of a pair: reading them, and carrying out the steps of pair-rules.ts. */
import { ObjectId } from 'mongodb';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import { pairId } from '../model/conversation-ref.ts';
import type { ContactDocument } from '../model/documents/contacts.ts';
import { insertOnce } from '../model/insert-once.ts';
import type { ContactAnnouncements } from './announcements.ts';
import type { Step } from './pair-rules.ts';

/** The two documents from the point of view of one owner. */
export interface Pair {
  mine: ContactDocument | undefined;
  theirs: ContactDocument | undefined;
}

/** Every change is announced to the devices of the document's owner, except the acting socket. */
export interface PairDocuments {
  read(ownerId: string, otherId: string): Promise<Pair>;
  /** Inserts the owner's document; resolves with false if there is one already. */
  insert(
    ownerId: string,
    otherId: string,
    state: Pick<ContactDocument, 'status' | 'direction'>,
    socket?: string,
  ): Promise<boolean>;
  /** Carries out one step; resolves with false if the document has changed since it was read. */
  carryOut(step: Step, socket?: string): Promise<boolean>;
}

export interface PairDocumentsOptions {
  collections: Pick<Collections, 'contacts'>;
  announce: ContactAnnouncements;
  clock(): Date;
}

export function createPairDocuments({ collections, announce, clock }: PairDocumentsOptions): PairDocuments {
  const { contacts } = collections;

  const insert: PairDocuments['insert'] = async (ownerId, otherId, state, socket) => {
    const now = clock();
    const contact: ContactDocument = {
      _id: new ObjectId(),
      user_id: fromId(ownerId),
      contact_id: fromId(otherId),
      pair: pairId(ownerId, otherId),
      ...state,
      created_at: now,
      updated_at: now,
    };
    if (!(await insertOnce(contacts, contact))) return false;
    await announce.updated(contact, socket);
    return true;
  };

  async function accept(seen: ContactDocument, socket?: string): Promise<boolean> {
    const accepted = await contacts.findOneAndUpdate(
      { _id: seen._id, user_id: seen.user_id, status: 'pending' },
      { $set: { status: 'accepted', updated_at: clock() }, $unset: { direction: true }, $inc: { version: 1 } },
      { returnDocument: 'after' },
    );
    if (!accepted) return false;
    await announce.updated(accepted, socket);
    return true;
  }

  async function remove(seen: ContactDocument, socket?: string): Promise<boolean> {
    const removed = await contacts.findOneAndDelete({ _id: seen._id, user_id: seen.user_id, status: seen.status });
    if (!removed) return false;
    announce.removed(removed, socket);
    return true;
  }

  return {
    insert,
    async read(ownerId, otherId) {
      const [owner, other] = [fromId(ownerId), fromId(otherId)];
      const found = await contacts
        .find({
          $or: [
            { user_id: owner, contact_id: other },
            { user_id: other, contact_id: owner },
          ],
        })
        .toArray();
      const ownedBy = (id: ObjectId) => found.find((contact) => contact.user_id.equals(id));
      return { mine: ownedBy(owner), theirs: ownedBy(other) };
    },
    async carryOut(step, socket) {
      if (step.kind === 'accept') return accept(step.contact, socket);
      if (step.kind === 'remove') return remove(step.contact, socket);
      const { user_id, contact_id } = step.request;
      const asked = { status: 'pending' as const, direction: 'in' as const };
      return insert(contact_id.toHexString(), user_id.toHexString(), asked, socket);
    },
  };
}
