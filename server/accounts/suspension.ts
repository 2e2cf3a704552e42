/** Deactivation by the operator, which can be taken back: unlike `DELETE /users/me` it erases nothing. */
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents/accounts.ts';
import type { OutboxSource } from '../outbox/outbox.ts';
import type { Sessions } from './sessions/sessions.ts';

export interface Suspension {
  /** Deactivates a user and ends, for good, all that lets somebody in as the user. Repeatable. */
  deactivate(user: UserDocument): Promise<void>;
  /** Lets a user in again, with what is issued from now on. Repeatable. */
  reactivate(user: UserDocument): Promise<void>;
}

export interface SuspensionOptions {
  outbox: OutboxSource<UserDocument>;
  collections: Pick<Collections, 'password_reset_tokens'>;
  sessions: Pick<Sessions, 'endAll'>;
  clock(): Date;
  /** Runs a write that changes who is active, so that caches can be told of it. */
  whileDeactivating<T>(write: () => Promise<T>): Promise<T>;
  /** Tells those concerned that a user is not active any more. */
  announceDeactivation(userId: string): Promise<void>;
  /** Tells those concerned that a user is active again. */
  announceReactivation(userId: string): void;
}

export function createSuspension(options: SuspensionOptions): Suspension {
  const { collections, outbox, sessions, clock, whileDeactivating, announceDeactivation, announceReactivation } =
    options;
  const { password_reset_tokens } = collections;

  /** Ends what was issued to a user; links to uploads end by `deactivated_at`. */
  async function endIssued({ _id }: UserDocument): Promise<void> {
    await sessions.endAll(_id.toHexString());
    await password_reset_tokens.deleteOne({ _id });
  }

  return {
    async deactivate(user) {
      const at = clock();
      await whileDeactivating(() =>
        outbox.change(
          { _id: user._id, is_active: true },
          { $set: { is_active: false, deactivated_at: at, updated_at: at }, $inc: { version: 1 } },
          {},
        ),
      );
      await endIssued(user);
      // Even if the user was deactivated already: the call that did it may have died before it told anybody.
      void announceDeactivation(user._id.toHexString());
    },

    async reactivate(user) {
      if (user.is_active) return;
      // Once more: the call that deactivated the user may have died before it did so.
      await endIssued(user);
      const reactivated = await whileDeactivating(() =>
        outbox.change(
          { _id: user._id, is_active: false },
          { $set: { is_active: true, updated_at: clock() }, $inc: { version: 1 } },
          {},
        ),
      );
      if (reactivated) announceReactivation(user._id.toHexString());
    },
  };
}
