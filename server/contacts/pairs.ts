/** The two documents of two people: reading them, and carrying out what is to be done next (see pair.ts). */
import { ObjectId } from 'mongodb';
import type { Collections } from '../model/collections.ts';
import type { ContactDocument } from '../model/documents/contacts.ts';
import { isDuplicateKey } from '../model/failures.ts';
import { fromId } from '../model/codec.ts';
import { unavailable } from '../lib/errors.ts';
import type { Bus } from '../bus/bus.ts';
import { pairId } from '../model/conversation-ref.ts';
import { stateOf } from '../model/state.ts';
import { toWireContact } from './contact-view.ts';
import { nextStep, type Step } from './pair.ts';

/** How many steps a pair may need while others change it too. */
const MAX_STEPS = 30;

/** Nothing of a document is newer than that it is gone: the next one has another `_id`. */
const REMOVED = Number.MAX_SAFE_INTEGER;

export interface PairDocuments {
  mine: ContactDocument | undefined;
  theirs: ContactDocument | undefined;
}

export interface Pairs {
  read(ownerId: string, otherId: string): Promise<PairDocuments>;
  /** Makes a document of the owner and tells the owner's devices; false when there is one already. */
  insert(
    owner: string,
    other: string,
    state: Pick<ContactDocument, 'status' | 'direction'>,
    socket?: string,
  ): Promise<boolean>;
  /** Carries out one step and tells whose document it was; false when the document is no longer as it was seen. */
  carryOut(step: Step, socket?: string): Promise<boolean>;
  /** Carries out steps until none is left. Returns the documents as they are then. */
  settle(ownerId: string, otherId: string, socket?: string): Promise<PairDocuments>;
  /** Tells the owner's devices of a document that was made or changed. */
  tell(contact: ContactDocument, socket?: string): Promise<void>;
  /** Tells the owner's devices of a document that went away. */
  tellRemoved(contact: ContactDocument, socket?: string): void;
}

export interface PairsOptions {
  collections: Pick<Collections, 'contacts' | 'users'>;
  bus: Bus;
  /** Both documents say that the two are contacts, which they did not before. */
  onBecameContacts(one: string, other: string): void;
  clock(): Date;
}

export function createPairs({ collections, bus, onBecameContacts, clock }: PairsOptions): Pairs {
  const { contacts, users } = collections;

  async function tell(contact: ContactDocument, socket?: string): Promise<void> {
    const user = await users.findOne({ _id: contact.contact_id });
    if (!user) return;
    const to = { users: [contact.user_id.toHexString()] };
    const state = stateOf('contact', contact._id, contact.version);
    bus.emit(to, 'contact:updated', { contact: toWireContact(contact, user) }, { socket }, state);
  }

  function tellRemoved({ _id, user_id, contact_id }: ContactDocument, socket?: string): void {
    const to = { users: [user_id.toHexString()] };
    const state = stateOf('contact', _id, REMOVED);
    bus.emit(to, 'contact:removed', { user_id: contact_id.toHexString() }, { socket }, state);
  }

  async function read(ownerId: string, otherId: string): Promise<PairDocuments> {
    const found = await contacts.find({ pair: pairId(ownerId, otherId) }).toArray();
    const of = (id: string) => found.find((contact) => contact.user_id.toHexString() === id);
    return { mine: of(ownerId), theirs: of(otherId) };
  }

  async function insert(
    owner: string,
    other: string,
    state: Pick<ContactDocument, 'status' | 'direction'>,
    socket?: string,
  ): Promise<boolean> {
    const now = clock();
    const contact: ContactDocument = {
      _id: new ObjectId(),
      user_id: fromId(owner),
      contact_id: fromId(other),
      pair: pairId(owner, other),
      ...state,
      created_at: now,
      updated_at: now,
    };
    try {
      await contacts.insertOne(contact);
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
    await tell(contact, socket);
    return true;
  }

  async function accept(seen: ContactDocument, socket?: string): Promise<boolean> {
    const accepted = await contacts.findOneAndUpdate(
      { _id: seen._id, status: 'pending' },
      { $set: { status: 'accepted', updated_at: clock() }, $unset: { direction: true }, $inc: { version: 1 } },
      { returnDocument: 'after' },
    );
    if (!accepted) return false;
    await tell(accepted, socket);
    return true;
  }

  async function remove(seen: ContactDocument, socket?: string): Promise<boolean> {
    const removed = await contacts.findOneAndDelete({ _id: seen._id, status: seen.status });
    if (!removed) return false;
    tellRemoved(removed, socket);
    return true;
  }

  async function carryOut(step: Step, socket?: string): Promise<boolean> {
    if (step.kind === 'accept') return accept(step.contact, socket);
    if (step.kind === 'remove') return remove(step.contact, socket);
    const { user_id, contact_id } = step.request;
    const asked = { status: 'pending' as const, direction: 'in' as const };
    return insert(contact_id.toHexString(), user_id.toHexString(), asked, socket);
  }

  return {
    read,
    insert,
    carryOut,
    tell,
    tellRemoved,
    async settle(ownerId, otherId, socket) {
      let accepted = false;
      for (let taken = 0; taken < MAX_STEPS; taken++) {
        const pair = await read(ownerId, otherId);
        const step = nextStep(pair.mine, pair.theirs);
        if (!step) {
          if (accepted && pair.mine?.status === 'accepted') onBecameContacts(ownerId, otherId);
          return pair;
        }
        const done = await carryOut(step, socket);
        accepted ||= done && step.kind === 'accept';
      }
      throw unavailable('too much is changing between the two of you; try again');
    },
  };
}
