/** `user:search` and `user:get`: users as others see them. */
import type { ObjectId } from 'mongodb';
import type { PublicUser } from '../../shared/contract/documents.ts';
import type { Audience } from '../conversations/audience.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import { notFound } from '../lib/errors.ts';
import { nameKey } from '../lib/name-key.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents/accounts.ts';
import { toPublicUser } from '../model/views/user.ts';
import { toKnownUser } from './contact-view.ts';

const DEFAULT_LIMIT = 20;
/** Sorts after any character that may follow a prefix. */
const LAST_CHARACTER = '\u{10FFFF}';

export interface UserLookupOptions {
  collections: Pick<Collections, 'contacts' | 'users'>;
  audience: Pick<Audience, 'seesPresence'>;
}

export function createUserLookup({ collections, audience }: UserLookupOptions): HandlersOf<'user'> {
  const { contacts, users } = collections;

  async function view(caller: Caller, found: UserDocument[]): Promise<PublicUser[]> {
    const userIds = found.map(({ _id }) => _id.toHexString());
    const known = await audience.seesPresence(caller.id, userIds);
    return found.map((user, i) => (known[i] ? toKnownUser(user) : toPublicUser(user)));
  }

  /** Users with a block between them and the caller, whoever made it. */
  async function blockedFor(caller: Caller): Promise<ObjectId[]> {
    const [byCaller, ofCaller] = await Promise.all([
      contacts.find({ user_id: caller.userId, status: 'blocked' }, { projection: { _id: 0, contact_id: 1 } }).toArray(),
      contacts.find({ contact_id: caller.userId, status: 'blocked' }, { projection: { _id: 0, user_id: 1 } }).toArray(),
    ]);
    return [...byCaller.map(({ contact_id }) => contact_id), ...ofCaller.map(({ user_id }) => user_id)];
  }

  return {
    async 'user:search'(caller, { query, limit = DEFAULT_LIMIT }) {
      const key = nameKey(query);
      if (key === '') return { users: [] };
      const excluded = [caller.userId, ...(await blockedFor(caller))];
      // A range instead of a regular expression: every store turns it into bounds of the index, and nothing needs escaping.
      const prefix = { $gte: key, $lt: key + LAST_CHARACTER };
      const filter = { is_active: true, _id: { $nin: excluded } };
      const findBy = (field: 'username_key' | 'full_name_key') =>
        users
          .find({ ...filter, [field]: prefix })
          .sort({ [field]: 1 })
          .limit(limit)
          .toArray();
      const [byUsername, byName] = await Promise.all([findBy('username_key'), findBy('full_name_key')]);
      // An exact match of the username comes first: it is the first of its prefix.
      const found = new Map([...byUsername, ...byName].map((user) => [user._id.toHexString(), user]));
      return { users: await view(caller, [...found.values()].slice(0, limit)) };
    },

    async 'user:get'(caller, { user_id }) {
      const user = await users.findOne({ _id: fromId(user_id) });
      if (!user) throw notFound('no such user');
      const [seen] = await view(caller, [user]);
      return { user: seen! };
    },
  };
}
