/**
 * Users whom the operator's own back end, or a token of another issuer, knows by an id of its own (`external_id`). They
 * have no password. Each is made once, however many ask at the same moment on however many nodes: the unique indexes on
 * `external_id`, `username_key` and `email_key` decide.
 */
import { randomBytes } from 'node:crypto';
import { batched } from '../lib/group-commit.ts';
import { createKeyedQueue } from '../lib/keyed-queue.ts';
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents/accounts.ts';
import { isDuplicateKey } from '../model/failures.ts';
import type { OutboxSource } from '../outbox/outbox.ts';
import { type NewUser, newUser, unreachableAddress } from './new-user.ts';
import { NO_PASSWORD } from './passwords/hashing.ts';
import { type NameField, nameConflict, takenNames } from './taken-names.ts';

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
 * @throws ContractError `conflict` naming `username` or `email` when all those wished for are somebody else's
 */
export type FindOrMake = (externalId: string, firstSight: FirstSight) => Promise<Seen>;

export interface Seen {
  user: UserDocument;
  created: boolean;
}

export interface ExternalUserOptions {
  outbox: OutboxSource<UserDocument>;
  collections: Pick<Collections, 'users'>;
  clock(): Date;
}

export function createFindOrMake({ collections, outbox, clock }: ExternalUserOptions): FindOrMake {
  const { users } = collections;
  /** Calls for one id run one after another on this node: later ones find the user whom the first one made. */
  const turns = createKeyedQueue('external users');

  const find = batched('external users', async (ids: readonly string[]) => {
    const found = await users.find({ external_id: { $in: [...new Set(ids)] } }).toArray();
    const byId = new Map(found.map((user) => [user.external_id, user as UserDocument]));
    return ids.map((id) => byId.get(id));
  });

  /** @returns the user with the id: an earlier one, or `wanted`; undefined where a unique index refuses `wanted` */
  async function upsertUser(external_id: string, wanted: UserDocument): Promise<UserDocument | undefined> {
    try {
      const found = await users.findOneAndUpdate(
        { external_id },
        { $setOnInsert: { ...wanted, ...outbox.noted() } },
        { upsert: true, returnDocument: 'after' },
      );
      outbox.moveSoon(found!);
      return found!;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      return undefined;
    }
  }

  async function make(
    external_id: string,
    { usernames, emails = [unreachableAddress()], ...profile }: FirstSight,
  ): Promise<Seen> {
    const nextUsername = candidates('username', usernames);
    const nextEmail = candidates('email', emails);
    let username = nextUsername();
    let email = nextEmail();
    for (;;) {
      const wanted = newUser({ ...profile, username, email, password: NO_PASSWORD }, clock());
      const user = await upsertUser(external_id, wanted);
      if (user) return { user, created: user._id.equals(wanted._id) };
      // Nothing is taken where another node has just made this very user: the next round finds it.
      const taken = await takenNames(users, wanted, (other) => other.external_id === external_id);
      if (taken.includes('username')) username = nextUsername();
      if (taken.includes('email')) email = nextEmail();
    }
  }

  async function seen(external_id: string): Promise<Seen | undefined> {
    const user = await find(external_id);
    return user && { user, created: false };
  }

  return async (external_id, firstSight) =>
    (await seen(external_id)) ??
    turns.run(external_id, async () => (await seen(external_id)) ?? make(external_id, firstSight));
}

/** Usernames for a user who has none, without end. */
export function* generatedUsernames(): Generator<string> {
  for (;;) yield `user_${randomBytes(4).toString('hex')}`;
}

/** @returns a function that gives the next value, and throws ContractError `conflict` after the last */
function candidates(path: NameField, values: Iterable<string>): () => string {
  const iterator = values[Symbol.iterator]();
  return () => {
    const next = iterator.next();
    if (next.done) throw nameConflict([path]);
    return next.value;
  };
}
