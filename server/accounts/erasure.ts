/**
 * Erases the personal data of a user who deleted the account; the id and username stay taken, and messages stay. The
 * write that deactivates the account erases the user's own document and notes that the rest is still to do, so any
 * living node finishes what a crash interrupts. Every part can be repeated.
 */
import type { UpdateFilter } from 'mongodb';
import type { Logger } from 'pino';
import type { Jobs } from '../cluster/jobs.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents/accounts.ts';
import { unreachableAddress } from './new-user.ts';
import { NO_PASSWORD } from './passwords/hashing.ts';

/** How often a node looks for what was interrupted, in milliseconds. */
const LOOK_EVERY_MS = 60_000;

/** Erases one domain's part of a user. Must be repeatable. */
export type ErasePart = (userId: string) => Promise<void>;

export interface ErasureOptions {
  collections: Pick<Collections, 'users' | 'sessions' | 'password_reset_tokens'>;
  /** What the other domains hold, in the order in which it is erased. */
  eraseParts: ErasePart[];
  jobs: Pick<Jobs, 'handle'>;
  log: Logger;
}

/** The update that erases a user's document. The address is free again: one that nobody has takes its place. */
export function erasure(at: Date): UpdateFilter<UserDocument> {
  const address = unreachableAddress();
  const erased: Partial<UserDocument> = {
    email: address,
    email_key: address,
    password: NO_PASSWORD,
    password_history: [],
    full_name: null,
    full_name_key: '',
    profile_picture: null,
    bio: '',
    settings: {},
    is_active: false,
    deactivated_at: at,
    erasing: true,
    updated_at: at,
  };
  return { $set: erased, $unset: { metadata: true }, $inc: { version: 1 } };
}

/** Erases the rest of a user whose document is erased already; a failure is left to the job, and logged. */
export type EraseRest = (userId: string) => Promise<void>;

export function createErasure({ collections, eraseParts, jobs, log }: ErasureOptions): EraseRest {
  const { users, sessions, password_reset_tokens } = collections;

  async function erase({ _id }: Pick<UserDocument, '_id'>): Promise<void> {
    await sessions.updateMany({ user_id: _id }, { $unset: { device_info: true, network: true } });
    await password_reset_tokens.deleteMany({ user_id: _id });
    for (const erasePart of eraseParts) await erasePart(_id.toHexString());
    await users.updateOne({ _id }, { $unset: { erasing: true } });
  }

  jobs.handle('erasures', {
    everyMs: LOOK_EVERY_MS,
    async run() {
      for await (const user of users.find({ erasing: true }, { projection: { _id: 1 } })) await erase(user);
    },
  });

  return async (userId) => {
    await erase({ _id: fromId(userId) }).catch((err: unknown) => log.warn({ err }, 'an erasure is left to the job'));
  };
}
