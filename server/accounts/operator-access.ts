/** What the operator's own back end may do with accounts (PROTOCOL section 12), put together. */
import type { SignedIn } from '../../shared/contract/accounts.ts';
import { forbidden } from '../lib/errors.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { DeviceInfo, UserDocument } from '../model/documents/accounts.ts';
import { toSelf } from '../model/views/user.ts';
import { createPutExternalUser, type PutExternalUser, type PutExternalUserOptions } from './external-profile.ts';
import type { Sessions } from './sessions/sessions.ts';
import { createSuspension, type Suspension, type SuspensionOptions } from './suspension.ts';

/** One of the ways to name a user. */
export type UserName = { external_id?: string; user_id?: string; username?: string };

export interface OperatorAccess extends Suspension {
  put: PutExternalUser;
  /** Finds a user, deactivated or not, by the one name that is given; a username in any case. */
  find(name: UserName): Promise<UserDocument | undefined>;
  /**
   * Signs a user in.
   * @param network where the request comes from
   * @throws ContractError `forbidden` for a user who is deactivated
   */
  startSession(user: UserDocument, network: string, deviceInfo?: DeviceInfo): Promise<SignedIn>;
  /** Signs a user out everywhere. */
  endSessions(user: UserDocument): Promise<void>;
}

export interface OperatorAccessOptions extends PutExternalUserOptions, SuspensionOptions {
  collections: Pick<Collections, 'users' | 'password_reset_tokens'>;
  sessions: Sessions;
}

export function createOperatorAccess(options: OperatorAccessOptions): OperatorAccess {
  const { collections, sessions } = options;
  const { users } = collections;

  return {
    ...createSuspension(options),
    put: createPutExternalUser(options),

    async find({ external_id, user_id, username }) {
      const found =
        external_id !== undefined
          ? await users.findOne({ external_id })
          : user_id !== undefined
            ? await users.findOne({ _id: fromId(user_id) })
            : await users.findOne({ username_key: username!.toLowerCase() });
      return found ?? undefined;
    },

    async startSession({ _id, is_active }, network, deviceInfo) {
      const refused = forbidden('the user is deactivated');
      if (!is_active) throw refused;
      const userId = _id.toHexString();
      const tokens = await sessions.start(userId, network, deviceInfo);
      // A deactivation ends the sessions that it finds. This one may have started too late for that, so check again.
      const user = await users.findOne({ _id, is_active: true });
      if (!user) {
        await sessions.end(userId, tokens.session_id).catch(() => {});
        throw refused;
      }
      return { user: toSelf(user), ...tokens };
    },

    endSessions: ({ _id }) => sessions.endAll(_id.toHexString()),
  };
}
