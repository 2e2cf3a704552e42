/**
 * Users whom the operator's own back end, or a token of another issuer, knows by an id of its own (`external_id`). They
 * have no password. Each is made once, however many ask at the same moment on however many nodes: the unique indexes on
 * `external_id`, `username_key` and `email_key` decide.
 */
import { randomBytes } from 'node:crypto';
import { conflict } from '../lib/errors.ts';
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents/accounts.ts';
import { isDuplicateKey } from '../model/failures.ts';
import { type NewUser, newUser, unreachableAddress } from './new-user.ts';
import { NO_PASSWORD } from './passwords/hashing.ts';

/** How a user is to be made, if there is none yet. */
export interface FirstSight extends Pick<NewUser, 'full_name' | 'bio' | 'is_bot' | 'metadata'> {
  /** Usernames that fit the contract, the preferred one first: the first one that is free is taken. */
  usernames: Iterable<string>;
  /** As `usernames`. By default an address that no mail reaches. */
  emails?: Iterable<string>;
}

/**
 * Finds the user with an `external_id`, or makes one.
 * @returns the user, deactivated or not, and whether this call made it
 * @throws ContractError `conflict` naming `username` or `email` when each of those wished for is somebody else's
 */
export type FindOrMake = (
  externalId: string,
  firstSight: FirstSight,
) => Promise<{ user: UserDocument; created: boolean }>;

export interface ExternalUserOptions {
  collections: Pick<Collections, 'users'>;
  clock(): Date;
}

export function createFindOrMake({ collections, clock }: ExternalUserOptions): FindOrMake {
  const { users } = collections;

  /** @returns the user of the id, who may be the one that is wanted; undefined where a unique index refuses that one */
  async function upsertUser(external_id: string, wanted: UserDocument): Promise<UserDocument | undefined> {
    try {
      const found = await users.findOneAndUpdate(
        { external_id },
        { $setOnInsert: wanted },
        { upsert: true, returnDocument: 'after' },
      );
      return found!;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      return undefined;
    }
  }

  /** Which unique keys other users have. Read as the indexes see them, not only what a majority has. */
  async function takenByOthers(own: string, { username_key, email_key }: UserDocument) {
    const found = await users
      .find(
        { $or: [{ username_key }, { email_key }] },
        { projection: { username_key: 1, email_key: 1, external_id: 1 }, readConcern: { level: 'local' } },
      )
      .toArray();
    const rivals = found.filter(({ external_id }) => external_id !== own);
    return {
      username: rivals.some((rival) => rival.username_key === username_key),
      email: rivals.some((rival) => rival.email_key === email_key),
    };
  }

  return async function findOrMake(external_id, { usernames, emails = [unreachableAddress()], ...profile }) {
    const known = await users.findOne({ external_id });
    if (known) return { user: known, created: false };
    const nextUsername = candidates('username', usernames);
    const nextEmail = candidates('email', emails);
    let username = nextUsername();
    let email = nextEmail();
    for (;;) {
      const wanted = newUser({ ...profile, username, email, password: NO_PASSWORD }, clock());
      const user = await upsertUser(external_id, wanted);
      if (user) return { user, created: user._id.equals(wanted._id) };
      // Nothing is taken where another call has just made this very user: the next round finds it.
      const taken = await takenByOthers(external_id, wanted);
      if (taken.username) username = nextUsername();
      if (taken.email) email = nextEmail();
    }
  };
}

/** Usernames for a user who has none, without end. */
export function* generatedUsernames(): Generator<string> {
  for (;;) yield `user_${randomBytes(4).toString('hex')}`;
}

/** @returns what gives the next value, and throws ContractError `conflict` after the last */
function candidates(path: 'username' | 'email', values: Iterable<string>): () => string {
  const iterator = values[Symbol.iterator]();
  return () => {
    const next = iterator.next();
    if (next.done) throw conflict(`${path} is taken`, [{ path, message: 'is taken' }]);
    return next.value;
  };
}
