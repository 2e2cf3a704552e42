import type { Static } from 'typebox';
import type { ProfileBody } from '../../shared/contract/accounts.ts';
import { unauthenticated } from '../lib/errors.ts';
import { nameKey } from '../lib/name-key.ts';
import type { UserDocument } from '../model/documents/accounts.ts';
import type { OutboxSource } from '../outbox/outbox.ts';

export interface ProfileOptions {
  outbox: OutboxSource<UserDocument>;
  clock(): Date;
  /** Throws unless the user may use the upload as a profile picture. */
  checkPicture(userId: string, mediaId: string): Promise<void>;
  /** Runs the write that changes a profile, so that no cached setting outlives it. */
  whileChanging<T>(userId: string, write: () => Promise<T>): Promise<T>;
  /** Called with the stored result of each change. */
  onProfileChanged(user: UserDocument): void;
}

type ProfileChanges = Static<typeof ProfileBody>;

/**
 * Changes the given parts of a profile.
 * @returns the user with the changes
 * @throws ContractError `not_found` or `validation_failed` when the picture is not an image of the user's own;
 *   `unauthenticated` when the account was deactivated meanwhile
 */
export type UpdateProfile = (user: UserDocument, changes: ProfileChanges) => Promise<UserDocument>;

export function createProfileUpdate(options: ProfileOptions): UpdateProfile {
  const { outbox, clock, checkPicture, whileChanging, onProfileChanged } = options;

  return async function updateProfile(user, changes) {
    const fields = storedFields(changes);
    if (Object.keys(fields).length === 0) return user;
    const isShown = Object.keys(changes).some((name) => name !== 'settings');
    const userId = user._id.toHexString();
    if (changes.profile_picture) await checkPicture(userId, changes.profile_picture);
    const updated = await whileChanging(userId, () =>
      outbox.change(
        { _id: user._id, is_active: true },
        { $set: { ...fields, updated_at: clock() }, $inc: { version: 1 } },
        // Settings are the user's own business.
        isShown ? {} : undefined,
      ),
    );
    if (!updated) throw unauthenticated('the account is deactivated');
    onProfileChanged(updated);
    return updated;
  };
}

/** The changes as fields to `$set`: settings one by one, so that those not given stay as they are. */
function storedFields({ settings = {}, ...changes }: ProfileChanges): Record<string, unknown> {
  const fields: Record<string, unknown> = { ...changes };
  if (changes.full_name !== undefined) fields.full_name_key = nameKey(changes.full_name);
  for (const [name, value] of Object.entries(settings)) fields[`settings.${name}`] = value;
  return fields;
}
