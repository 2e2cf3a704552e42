import { forbidden, invalid } from '../lib/errors.ts';
import type { UserDocument } from '../model/documents/accounts.ts';
import type { OutboxSource } from '../outbox/outbox.ts';
import { erasure } from './erasure.ts';
import { NO_PASSWORD, type PasswordHashing } from './passwords/hashing.ts';
import type { Sessions } from './sessions/sessions.ts';

export interface DeactivationOptions {
  outbox: OutboxSource<UserDocument>;
  hashing: PasswordHashing;
  sessions: Sessions;
  clock(): Date;
  /** Runs the write that deactivates an account, so that caches of who is active can be told of it. */
  whileDeactivating<T>(write: () => Promise<T>): Promise<T>;
  /** Called once the account is deactivated and its sessions have ended. */
  onDeactivated(userId: string): void;
}

/**
 * Deactivates an account for good and ends its sessions. What is personal is erased (erasure.ts); the username stays
 * taken and messages stay.
 * @param password asked of users who have one
 * @throws ContractError `forbidden` when the password is wrong, `validation_failed` when it is missing
 */
export type Deactivate = (user: UserDocument, password: string | undefined) => Promise<void>;

export function createDeactivation(options: DeactivationOptions): Deactivate {
  const { outbox, hashing, sessions, clock, whileDeactivating, onDeactivated } = options;

  return async function deactivate(user, password) {
    const userId = user._id.toHexString();
    const refused = forbidden('the password is wrong');
    if (user.password !== NO_PASSWORD) {
      if (password === undefined) throw invalid('password', 'is missing');
      if (!(await hashing.verify(password, user.password, userId))) throw refused;
    }
    // Before the write as well as after: should the process die in between, no connection of the user is left.
    await sessions.endAll(userId);
    const erased = await whileDeactivating(() =>
      outbox.change({ _id: user._id, last_password_change: user.last_password_change }, erasure(clock()), {}),
    );
    if (!erased) throw refused;
    await sessions.endAll(userId);
    onDeactivated(userId);
  };
}
