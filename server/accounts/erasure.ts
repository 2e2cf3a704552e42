/**
 * Erases what is personal of a user who deleted the account; the id and username stay taken, and messages stay. The
 * write that deactivates the account erases the user's own document and notes that the rest is still to do, so whichever
 * node lives finishes what a crash interrupts. Every part can be repeated.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Jobs } from '../cluster/jobs.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents/accounts.ts';

/** How often a node looks for what was interrupted, in milliseconds. */
const LOOK_EVERY_MS = 60_000;

/** Erases one domain's part of a user. Must be repeatable. */
export type ErasePart = (userId: string) => Promise<void>;

export interface ErasureOptions {
  collections: Pick<Collections, 'users' | 'sessions' | 'password_reset_tokens'>;
  /** What the other domains hold, in the order in which it goes. */
  eraseParts: ErasePart[];
  jobs: Pick<Jobs, 'handle'>;
  log: Logger;
}

/** What the user's document becomes. The address is free again: the key, which must be unique, is nobody's address. */
export function erasedFields(): Partial<UserDocument> {
  return {
    email: '',
    email_key: randomUUID(),
    password: '',
    password_history: [],
    full_name: null,
    full_name_key: '',
    profile_picture: null,
    bio: '',
    settings: {},
    is_active: false,
    erasing: true,
  };
}

/** Erases the rest of a user whose document is erased already; a failure is left to the job, and logged. */
export type EraseRest = (userId: string) => Promise<void>;

export function createErasure({ collections, eraseParts, jobs, log }: ErasureOptions): EraseRest {
  const { users, sessions, password_reset_tokens } = collections;

  async function erase({ _id }: Pick<UserDocument, '_id'>): Promise<void> {
    await sessions.updateMany({ user_id: _id }, { $unset: { device_info: true } });
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
