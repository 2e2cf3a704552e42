/**
 * The commands `contact:*` and `user:*` (PROTOCOL section 5). A command on a pair reads the two documents, takes one step
 * that decides (a conditional write of one document), and lets the rest follow by the rules of pair-rules.ts. If another
 * command was quicker, it starts over.
 */
import type { Caller } from '../dispatch/caller.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import { notFound } from '../lib/errors.ts';
import { fromId } from '../model/codec.ts';
import { untilDone } from './attempts.ts';
import { type BlockOptions, createBlockCommands } from './blocks.ts';
import { answerWith } from './contact-view.ts';
import { createListContacts } from './list-contacts.ts';
import type { Pair } from './pair-documents.ts';
import { isAsked, type Step } from './pair-rules.ts';
import { createRequestContact } from './request-contact.ts';
import { createUserLookup, type UserLookupOptions } from './user-lookup.ts';

export type ContactCommandOptions = BlockOptions & UserLookupOptions;

export function createContactCommands(options: ContactCommandOptions): HandlersOf<'contact' | 'user'> {
  const { collections, pairs, reconcile, announce, clock } = options;
  const { contacts } = collections;

  /** Takes the step that decides a command, and all that follow from it; returns the documents after that. */
  async function decide(caller: Caller, otherId: string, choose: (pair: Pair) => Step): Promise<Pair> {
    await untilDone(async () => {
      const step = choose(await reconcile(caller.id, otherId, caller.socketId));
      return pairs.carryOut(step, caller.socketId);
    });
    return reconcile(caller.id, otherId, caller.socketId);
  }

  return {
    ...createUserLookup(options),
    ...createBlockCommands(options),
    'contact:request': createRequestContact(options),
    'contact:list': createListContacts(options),

    async 'contact:accept'(caller, { user_id }) {
      const { mine } = await decide(caller, user_id, (pair) => ({ kind: 'accept', contact: requestIn(pair) }));
      return answerWith(collections, mine);
    },

    async 'contact:reject'(caller, { user_id }) {
      await decide(caller, user_id, (pair) => ({ kind: 'remove', contact: requestIn(pair) }));
      return {};
    },

    async 'contact:remove'(caller, { user_id }) {
      await decide(caller, user_id, ({ mine, theirs }) => {
        if (!mine || mine.status === 'blocked') throw notFound('no such contact');
        // The document of the user who asked is the request: it goes first.
        return { kind: 'remove', contact: isAsked(mine) ? theirs! : mine };
      });
      return {};
    },

    async 'contact:update'(caller, { user_id, ...wanted }) {
      const by = { user_id: caller.userId, contact_id: fromId(user_id) };
      const contact = await contacts.findOne(by);
      if (!contact) throw notFound('no such contact');
      const news = Object.entries(wanted).filter(([field, value]) => contact[field as keyof typeof wanted] !== value);
      if (news.length === 0) return answerWith(collections, contact);
      const updated = await contacts.findOneAndUpdate(
        by,
        { $set: { ...Object.fromEntries(news), updated_at: clock() }, $inc: { version: 1 } },
        { returnDocument: 'after' },
      );
      if (!updated) throw notFound('no such contact');
      await announce.updated(updated, caller.socketId);
      return answerWith(collections, updated);
    },
  };
}

/**
 * The request of the other user, in a reconciled pair.
 * @throws ContractError `not_found` if the other user has not asked
 */
function requestIn({ mine, theirs }: Pair) {
  if (!isAsked(mine)) throw notFound('no such request');
  return theirs!;
}
