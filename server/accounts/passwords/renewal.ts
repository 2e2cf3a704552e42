import type { Logger } from 'pino';
import type { Collections } from '../../model/collections.ts';
import type { UserDocument } from '../../model/documents/accounts.ts';
import type { PasswordHashing } from './hashing.ts';

/**
 * Hashes a correct password anew in the background: at today's cost and in NFC. A failure does no harm, since the next
 * sign-in tries again.
 * @param user as read before the password was compared; nothing is changed where the hash is another one by now
 */
export type RenewHash = (user: UserDocument, password: string) => void;

export interface HashRenewalOptions {
  collections: Pick<Collections, 'users'>;
  hashing: Pick<PasswordHashing, 'hash'>;
  log: Logger;
}

export function createHashRenewal({ collections, hashing, log }: HashRenewalOptions): RenewHash {
  const underWay = new Set<string>();

  async function renew({ _id, password: known }: UserDocument, password: string): Promise<void> {
    const renewed = await hashing.hash(password, _id.toHexString());
    await collections.users.updateOne({ _id, password: known }, { $set: { password: renewed } });
  }

  return (user, password) => {
    // Several devices that sign in at once need it once.
    const key = user._id.toHexString();
    if (underWay.has(key)) return;
    underWay.add(key);
    renew(user, password)
      .catch((err: unknown) => log.debug({ err }, 'the hash of a password was not renewed'))
      .finally(() => underWay.delete(key));
  };
}
