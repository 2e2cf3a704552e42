/** Stores what the operator's back end knows of a user: makes a user who does not exist yet, changes one who does. */
import type { Static } from 'typebox';
import type { ServerUserBody } from '../../shared/contract/operator.ts';
import { nameKey } from '../lib/name-key.ts';
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents/accounts.ts';
import { isDuplicateKey } from '../model/failures.ts';
import { storedMetadata } from '../model/metadata.ts';
import type { OutboxSource } from '../outbox/outbox.ts';
import { type FindOrMake, generatedUsernames } from './external-users.ts';
import { nameConflict, takenNames } from './taken-names.ts';

type Given = Static<typeof ServerUserBody>;

/**
 * Makes the user with an `external_id`, or changes the given fields of an existing one, who may be deactivated.
 * @returns the user, and whether this call made it
 * @throws ContractError `conflict` naming `username` or `email` that are somebody else's; nothing is changed then
 */
export type PutExternalUser = (externalId: string, given: Given) => Promise<{ user: UserDocument; created: boolean }>;

export interface PutExternalUserOptions {
  outbox: OutboxSource<UserDocument>;
  collections: Pick<Collections, 'users'>;
  findOrMake: FindOrMake;
  clock(): Date;
  /** Called with the stored result of a change that others may see. */
  onProfileChanged(user: UserDocument): void;
}

export function createPutExternalUser(options: PutExternalUserOptions): PutExternalUser {
  const { collections, outbox, findOrMake, clock, onProfileChanged } = options;
  const { users } = collections;

  async function change(user: UserDocument, given: Given): Promise<UserDocument> {
    const { fields, gone, isShown } = changesOf(user, given);
    if (Object.keys({ ...fields, ...gone }).length === 0) return user;
    const $set = { ...fields, updated_at: clock() };
    for (;;) {
      try {
        const changed = await outbox.change(
          { _id: user._id },
          { $set, $inc: { version: 1 }, ...(Object.keys(gone).length > 0 ? { $unset: gone } : {}) },
          isShown ? {} : undefined,
        );
        if (isShown) onProfileChanged(changed!);
        return changed!;
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        const taken = await takenNames(users, given, ({ _id }) => _id.equals(user._id));
        // Nothing is taken where the other user has given the name up meanwhile.
        if (taken.length > 0) throw nameConflict(taken);
      }
    }
  }

  return async function put(externalId, given) {
    const { username, email, is_bot, metadata, ...profile } = given;
    const stored = storedMetadata(metadata);
    const { user, created } = await findOrMake(externalId, {
      ...profile,
      ...(is_bot ? { is_bot } : {}),
      ...(stored === undefined ? {} : { metadata: stored }),
      usernames: username === undefined ? generatedUsernames() : [username],
      ...(email === undefined ? {} : { emails: [email] }),
    });
    return created ? { user, created } : { user: await change(user, given), created };
  };
}

/** What differs from the stored user: fields to set, and fields to remove. */
function changesOf(user: UserDocument, { metadata: wanted, is_bot, ...given }: Given) {
  const fields: Partial<UserDocument> = {};
  const gone: { is_bot?: true; metadata?: true } = {};
  const { username, email, full_name, bio } = given;
  if (username !== undefined && username !== user.username) {
    Object.assign(fields, { username, username_key: username.toLowerCase() });
  }
  if (email !== undefined && email !== user.email) Object.assign(fields, { email, email_key: email.toLowerCase() });
  if (full_name !== undefined && full_name !== user.full_name) {
    Object.assign(fields, { full_name, full_name_key: nameKey(full_name) });
  }
  if (bio !== undefined && bio !== user.bio) fields.bio = bio;
  if (is_bot === true && !user.is_bot) fields.is_bot = true;
  if (is_bot === false && user.is_bot) gone.is_bot = true;
  const isShown = Object.keys(fields).length > 0 || gone.is_bot === true;
  const metadata = wanted === undefined ? user.metadata : storedMetadata(wanted);
  if (metadata !== undefined && metadata !== user.metadata) fields.metadata = metadata;
  if (metadata === undefined && user.metadata !== undefined) gone.metadata = true;
  return { fields, gone, isShown };
}
