/**
 * Contacts and blocks (PROTOCOL section 5). Each command looks at the two documents of the pair, takes one step that
 * decides (a conditional write of one document), and lets the rest follow by the rules of pair.ts. Where another
 * command was quicker it looks again.
 */
import type { Contact } from '../../shared/contract/documents.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents/accounts.ts';
import type { ContactDocument } from '../model/documents/contacts.ts';
import { fromId } from '../model/codec.ts';
import { forbidden, invalid, notFound, unavailable } from '../lib/errors.ts';
import type { Caller } from '../dispatch/caller.ts';
import { toWireContact } from './contact-view.ts';
import type { AccessMemory } from '../conversations/access-memory.ts';
import { pairId } from '../model/conversation-ref.ts';
import { nextStep } from './pair.ts';
import type { PairDocuments, Pairs } from './pairs.ts';

/** How often a command looks again because another was quicker. */
const MAX_ATTEMPTS = 20;
/** Longer than any command is under way, in milliseconds: what is unfinished after that was left behind by a crash. */
const LEFT_BEHIND_MS = 10_000;

export interface ContactsOptions {
  collections: Pick<Collections, 'contacts' | 'users'>;
  pairs: Pairs;
  accessMemory: AccessMemory;
  /** The one blocks the other: nothing passes between them from now on. */
  onBlocked(one: string, other: string): void;
  clock(): Date;
}

type Answer = Promise<{ contact: Contact }>;
type OfUser = { user_id: string };

export interface Contacts {
  request(caller: Caller, payload: CommandPayload<'contact:request'>): Answer;
  accept(caller: Caller, payload: OfUser): Answer;
  reject(caller: Caller, payload: OfUser): Promise<object>;
  remove(caller: Caller, payload: OfUser): Promise<object>;
  block(caller: Caller, payload: OfUser): Answer;
  unblock(caller: Caller, payload: OfUser): Promise<object>;
  update(caller: Caller, payload: CommandPayload<'contact:update'>): Answer;
  list(caller: Caller, payload: CommandPayload<'contact:list'>): Promise<{ contacts: Contact[] }>;
}

export function createContacts({ collections, pairs, accessMemory, onBlocked, clock }: ContactsOptions): Contacts {
  const { contacts, users } = collections;

  /** Tries until an attempt gives an answer; undefined means that another command was quicker. */
  async function untilDone<T>(attempt: () => Promise<T | undefined>): Promise<T> {
    for (let count = 0; count < MAX_ATTEMPTS; count++) {
      const answer = await attempt();
      if (answer !== undefined) return answer;
    }
    throw unavailable('too much is changing between the two of you; try again');
  }

  async function answer(contact: ContactDocument | undefined): Answer {
    const user = contact && (await users.findOne({ _id: contact.contact_id }));
    if (!user) throw notFound('no such contact');
    return { contact: toWireContact(contact, user) };
  }

  const isAsked = ({ mine }: PairDocuments) => mine?.status === 'pending' && mine.direction === 'in';

  /** @throws ContractError `validation_failed` for oneself, `not_found` for an unknown or deactivated user */
  async function findAsked(caller: Caller, payload: CommandPayload<'contact:request'>): Promise<UserDocument> {
    const { user_id, username } = payload;
    const by = user_id === undefined ? { username_key: username!.toLowerCase() } : { _id: fromId(user_id) };
    const user = await users.findOne(by);
    if (user?._id.equals(caller.userId)) {
      throw invalid(user_id === undefined ? 'username' : 'user_id', 'must NOT be oneself');
    }
    if (!user?.is_active) throw notFound('no such user');
    return user;
  }

  return {
    async request(caller, payload) {
      const otherId = (await findAsked(caller, payload))._id.toHexString();
      const request = { status: 'pending' as const, direction: 'out' as const };
      const contact = await untilDone(async () => {
        const pair = await pairs.settle(caller.id, otherId, caller.socketId);
        const { mine, theirs } = pair;
        if (mine?.status === 'blocked' || theirs?.status === 'blocked') {
          throw forbidden('nothing passes between the two of you');
        }
        if (mine && !isAsked(pair)) return mine;
        // Being asked already, asking is accepting.
        if (theirs) await pairs.carryOut({ kind: 'accept', contact: theirs }, caller.socketId);
        else await pairs.insert(caller.id, otherId, request, caller.socketId);
        return undefined;
      });
      return answer(contact);
    },

    async accept(caller, { user_id }) {
      await untilDone(async () => {
        const pair = await pairs.settle(caller.id, user_id, caller.socketId);
        if (!isAsked(pair)) throw notFound('no such request');
        const done = await pairs.carryOut({ kind: 'accept', contact: pair.theirs! }, caller.socketId);
        return done || undefined;
      });
      return answer((await pairs.settle(caller.id, user_id, caller.socketId)).mine);
    },

    async reject(caller, { user_id }) {
      await untilDone(async () => {
        const pair = await pairs.settle(caller.id, user_id, caller.socketId);
        if (!isAsked(pair)) throw notFound('no such request');
        const done = await pairs.carryOut({ kind: 'remove', contact: pair.theirs! }, caller.socketId);
        return done || undefined;
      });
      await pairs.settle(caller.id, user_id, caller.socketId);
      return {};
    },

    async remove(caller, { user_id }) {
      await untilDone(async () => {
        const pair = await pairs.settle(caller.id, user_id, caller.socketId);
        const { mine, theirs } = pair;
        if (!mine || mine.status === 'blocked') throw notFound('no such contact');
        // The document of the one who asked is the request: it goes first.
        const first = isAsked(pair) ? theirs! : mine;
        const done = await pairs.carryOut({ kind: 'remove', contact: first }, caller.socketId);
        return done || undefined;
      });
      await pairs.settle(caller.id, user_id, caller.socketId);
      return {};
    },

    block: (caller, { user_id }) =>
      accessMemory.changing(pairId(caller.id, user_id), async () => {
        if (user_id === caller.id) throw invalid('user_id', 'must NOT be oneself');
        if (!(await users.findOne({ _id: fromId(user_id) }, { projection: { _id: 1 } })))
          throw notFound('no such user');
        await untilDone(async () => {
          const { mine, theirs } = await pairs.read(caller.id, user_id);
          if (mine?.status === 'blocked') return true;
          // The other's document first: should this process die now, a contact has ended, and nobody is left behind
          // who still sees what a block should hide.
          if (theirs && theirs.status !== 'blocked')
            await pairs.carryOut({ kind: 'remove', contact: theirs }, caller.socketId);
          if (!mine) {
            return (await pairs.insert(caller.id, user_id, { status: 'blocked' }, caller.socketId)) || undefined;
          }
          const blocked = await contacts.findOneAndUpdate(
            { _id: mine._id },
            { $set: { status: 'blocked', updated_at: clock() }, $unset: { direction: true }, $inc: { version: 1 } },
            { returnDocument: 'after' },
          );
          if (!blocked) return undefined;
          await pairs.tell(blocked, caller.socketId);
          return true;
        });
        const { mine } = await pairs.settle(caller.id, user_id, caller.socketId);
        onBlocked(caller.id, user_id);
        return answer(mine);
      }),

    unblock: (caller, { user_id }) =>
      accessMemory.changing(pairId(caller.id, user_id), async () => {
        const removed = await contacts.findOneAndDelete({
          user_id: caller.userId,
          contact_id: fromId(user_id),
          status: 'blocked',
        });
        if (!removed) throw notFound('no such block');
        pairs.tellRemoved(removed, caller.socketId);
        return {};
      }),

    async update(caller, { user_id, ...wanted }) {
      const by = { user_id: caller.userId, contact_id: fromId(user_id) };
      const contact = await contacts.findOne(by);
      if (!contact) throw notFound('no such contact');
      const news = Object.entries(wanted).filter(([field, value]) => contact[field as keyof typeof wanted] !== value);
      if (news.length === 0) return answer(contact);
      const updated = await contacts.findOneAndUpdate(
        by,
        { $set: { ...Object.fromEntries(news), updated_at: clock() }, $inc: { version: 1 } },
        { returnDocument: 'after' },
      );
      if (!updated) throw notFound('no such contact');
      await pairs.tell(updated, caller.socketId);
      return answer(updated);
    },

    async list(caller, { status }) {
      const readAll = () => contacts.find({ user_id: caller.userId }).toArray();
      const [own, others] = await Promise.all([
        readAll(),
        contacts.find({ contact_id: caller.userId, status: { $in: ['pending', 'accepted'] } }).toArray(),
      ]);
      const leftBehind = unfinished(own, others, new Date(clock().getTime() - LEFT_BEHIND_MS));
      for (const userId of leftBehind) await pairs.settle(caller.id, userId);
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
    },
  };
}

/**
 * With whom the documents do not fit together and were not touched lately. A command under way is not taken for a
 * crash, nor is what changed between the two reads.
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
