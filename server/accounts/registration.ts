import type { Static } from 'typebox';
import type { RegisterBody, SignedIn } from '../../shared/contract/accounts.ts';
import { forbidden, unavailable } from '../lib/errors.ts';
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents/accounts.ts';
import { insertOnce } from '../model/insert-once.ts';
import { toSelf } from '../model/views/user.ts';
import type { OutboxSource } from '../outbox/outbox.ts';
import { newUser } from './new-user.ts';
import { assertAcceptable } from './passwords/acceptance.ts';
import type { PasswordHashing } from './passwords/hashing.ts';
import type { Sessions } from './sessions/sessions.ts';
import { nameConflict, takenNames } from './taken-names.ts';

export interface RegistrationOptions {
  outbox: OutboxSource<UserDocument>;
  collections: Pick<Collections, 'users'>;
  hashing: PasswordHashing;
  sessions: Sessions;
  /** Whether anyone may register (`REGISTRATION`). */
  isOpen: boolean;
  clock(): Date;
}

type Registration = Static<typeof RegisterBody>;

/**
 * Registers a user and signs in.
 * @param network where the request comes from: its passwords are hashed in turn with those of others
 * @throws ContractError `forbidden` where registration is closed; `validation_failed` for a password that is not
 *   acceptable; `conflict` naming the fields that are taken, `username` before `email`
 */
export type Register = (registration: Registration, network: string) => Promise<SignedIn>;

export function createRegistration(options: RegistrationOptions): Register {
  const { collections, outbox, hashing, sessions, isOpen, clock } = options;
  const { users } = collections;

  return async function register(registration, network) {
    if (!isOpen) throw forbidden('registration is closed');
    assertAcceptable('password', registration.password);
    // Saves the work of hashing where a name is taken; the unique indexes decide.
    await assertFree(users, registration);
    const hash = await hashing.hash(registration.password, network);
    const user = { ...newUser({ ...registration, password: hash }, clock()), ...outbox.noted() };
    // The session comes first: one without a user is harmless, while a user without an answer would keep the name taken.
    const tokens = await sessions.start(user._id.toHexString(), network);
    if (!(await insertOnce(users, user))) {
      await assertFree(users, registration);
      throw unavailable('the name was taken and is free again; try again');
    }
    outbox.moveSoon(user);
    return { user: toSelf(user), ...tokens };
  };
}

async function assertFree(users: Collections['users'], wanted: Registration): Promise<void> {
  const taken = await takenNames(users, wanted);
  if (taken.length > 0) throw nameConflict(taken);
}
