/** Users as others see them: search, look-up, and telling who must know of a change (PROTOCOL sections 1 and 5). */
import type { PublicUser } from '../../shared/contract/documents.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import { toPublicUser } from '../model/views/user.ts';
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents/accounts.ts';
import { fromId } from '../model/codec.ts';
import { notFound } from '../lib/errors.ts';
import type { Bus } from '../bus/bus.ts';
import type { Caller } from '../dispatch/caller.ts';
import { stateOf } from '../model/state.ts';
import { toKnownUser } from './contact-view.ts';
import { fold } from '../lib/fold.ts';

const DEFAULT_LIMIT = 20;
/** Sorts behind whatever a text may go on with. */
const LAST_CHARACTER = '\u{10FFFF}';

export interface ProfilesOptions {
  collections: Pick<Collections, 'contacts' | 'users'>;
  bus: Bus;
  /** Whether the viewer may see the presence of each user, in the order asked. */
  maySeePresence(viewerId: string, userIds: string[]): Promise<boolean[]>;
}

export interface Profiles {
  search(caller: Caller, payload: CommandPayload<'user:search'>): Promise<{ users: PublicUser[] }>;
  get(caller: Caller, payload: CommandPayload<'user:get'>): Promise<{ user: PublicUser }>;
  /** Tells the user's contacts how the profile is now. */
  tellContacts(userId: string): Promise<void>;
}

export function createProfiles({ collections, bus, maySeePresence }: ProfilesOptions): Profiles {
  const { contacts, users } = collections;

  async function view(caller: Caller, found: UserDocument[]): Promise<PublicUser[]> {
    const known = await maySeePresence(
      caller.id,
      found.map(({ _id }) => _id.toHexString()),
    );
    return found.map((user, i) => (known[i] ? toKnownUser(user) : toPublicUser(user)));
  }

  /** Those with a block between them and the caller, whoever made it. */
  async function blocked(caller: Caller) {
    const [byCaller, ofCaller] = await Promise.all([
      contacts.find({ user_id: caller.userId, status: 'blocked' }, { projection: { _id: 0, contact_id: 1 } }).toArray(),
      contacts.find({ contact_id: caller.userId, status: 'blocked' }, { projection: { _id: 0, user_id: 1 } }).toArray(),
    ]);
    return [...byCaller.map(({ contact_id }) => contact_id), ...ofCaller.map(({ user_id }) => user_id)];
  }

  return {
    async search(caller, { query, limit = DEFAULT_LIMIT }) {
      const key = fold(query.trim());
      if (key === '') return { users: [] };
      const excluded = [caller.userId, ...(await blocked(caller))];
      // A range rather than a regular expression: bounds of the index on every store, and nothing to escape.
      const prefix = { $gte: key, $lt: key + LAST_CHARACTER };
      const filter = { is_active: true, _id: { $nin: excluded } };
      const [byUsername, byName] = await Promise.all([
        users
          .find({ ...filter, username_key: prefix })
          .sort({ username_key: 1 })
          .limit(limit)
          .toArray(),
        users
          .find({ ...filter, full_name_key: prefix })
          .sort({ full_name_key: 1 })
          .limit(limit)
          .toArray(),
      ]);
      // The exact username comes first of its prefix by itself.
      const found = new Map([...byUsername, ...byName].map((user) => [user._id.toHexString(), user]));
      return { users: await view(caller, [...found.values()].slice(0, limit)) };
    },

    async get(caller, { user_id }) {
      const user = await users.findOne({ _id: fromId(user_id) });
      if (!user) throw notFound('no such user');
      const [seen] = await view(caller, [user]);
      return { user: seen! };
    },

    async tellContacts(userId) {
      const _id = fromId(userId);
      const [user, accepted] = await Promise.all([
        users.findOne({ _id }),
        contacts.find({ contact_id: _id, status: 'accepted' }, { projection: { _id: 0, user_id: 1 } }).toArray(),
      ]);
      if (!user || accepted.length === 0) return;
      const to = { users: accepted.map(({ user_id }) => user_id.toHexString()) };
      bus.emit(to, 'user:updated', { user: toKnownUser(user) }, undefined, stateOf('user', user._id, user.version));
    },
  };
}
