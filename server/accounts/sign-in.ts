import type { Static } from 'typebox';
import type { LoginBody, SignedIn } from '../../shared/contract/accounts.ts';
import { unauthenticated } from '../lib/errors.ts';
import type { Collections } from '../model/collections.ts';
import { toSelf } from '../model/views/user.ts';
import { loginFilter } from './login.ts';
import type { PasswordHashing } from './passwords/hashing.ts';
import type { RenewHash } from './passwords/renewal.ts';
import type { Sessions } from './sessions/sessions.ts';

export interface SignInOptions {
  collections: Pick<Collections, 'users'>;
  hashing: PasswordHashing;
  sessions: Sessions;
  renewHash: RenewHash;
}

/**
 * Signs in by username or email address.
 * @throws ContractError `unauthenticated`: the same answer at the same pace for an unknown user, a deactivated user and
 *   a wrong password
 */
export type SignIn = (credentials: Static<typeof LoginBody>) => Promise<SignedIn>;

export function createSignIn({ collections, hashing, sessions, renewHash }: SignInOptions): SignIn {
  const { users } = collections;

  return async function signIn({ login, password, device_info }) {
    const refused = unauthenticated('wrong login or password');
    const user = await users.findOne(loginFilter(login));
    const { matches, isOutdated } = await hashing.compare(password, user?.is_active ? user.password : undefined);
    if (!user || !matches) throw refused;
    const userId = user._id.toHexString();
    const tokens = await sessions.start(userId, device_info);
    // A password change ends the sessions that it finds. This one may have started too late for that, so check again.
    const { _id, last_password_change } = user;
    const unchanged = await users.findOne({ _id, last_password_change, is_active: true });
    if (!unchanged) {
      await sessions.end(userId, tokens.session_id).catch(() => {});
      throw refused;
    }
    if (isOutdated) renewHash(user, password);
    return { user: toSelf(unchanged), ...tokens };
  };
}
