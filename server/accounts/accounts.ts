/** Accounts: registration, sign-in, profile, deactivation (PROTOCOL section 2). */
import { type FindOptions, ObjectId } from 'mongodb';
import type { Static } from 'typebox';
import type { LoginBody, ProfileBody, RegisterBody, SignedIn } from '../../shared/contract/accounts.ts';
import type { FieldError } from '../../shared/contract/errors.ts';
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents.ts';
import { isDuplicateKey } from '../model/failures.ts';
import { conflict, forbidden, unauthenticated } from '../lib/errors.ts';
import type { ChangePassword } from './password-change.ts';
import type { Passwords } from './passwords.ts';
import type { Sessions } from './sessions.ts';
import { toSelf } from '../model/views/user.ts';
import { fold } from '../lib/fold.ts';

export interface Accounts {
  /** @throws ContractError `conflict` naming the taken field; `username` first when both are */
  register(body: Static<typeof RegisterBody>): Promise<SignedIn>;
  /** The id of the account that a username or an address names, whether it is active or not. */
  idOf(login: string): Promise<string | undefined>;
  /** @throws ContractError `unauthenticated`: unknown, deactivated or wrong password, all alike and at the same pace */
  login(body: Static<typeof LoginBody>): Promise<SignedIn>;
  /** @throws ContractError `forbidden` when the current password is wrong; `conflict` when the new one was used before */
  changePassword(user: UserDocument, sessionId: string, current: string, next: string): Promise<void>;
  /** @throws ContractError `not_found` or `validation_failed` when the picture is no own image */
  updateProfile(user: UserDocument, changes: Static<typeof ProfileBody>): Promise<UserDocument>;
  /** @throws ContractError `forbidden` when the password is wrong */
  deactivate(user: UserDocument, password: string): Promise<void>;
}

export interface AccountsOptions {
  collections: Pick<Collections, 'users'>;
  passwords: Passwords;
  sessions: Sessions;
  changePassword: ChangePassword;
  clock(): Date;
  /** Whether the user may make this upload a profile picture; throws when not. */
  profilePicture(userId: string, mediaId: string): Promise<void>;
  /** After the change was stored. */
  onProfileChanged(user: UserDocument): void;
  /** Carries out the write that deactivates an account: whoever remembers who is active has to know. */
  whileDeactivating<T>(write: () => Promise<T>): Promise<T>;
  /** After the account was deactivated and its sessions ended. */
  onDeactivated(userId: string): void;
}

/** Folding can make eighteen letters of one, and index keys have a limit; nobody searches by more than this. */
const SEARCH_KEY_LENGTH = 200;

function searchKey(fullName: string | null): string {
  return fold(fullName ?? '')
    .slice(0, SEARCH_KEY_LENGTH)
    .toWellFormed();
}

export function createAccounts(options: AccountsOptions): Accounts {
  const { collections, passwords, sessions, clock } = options;
  const { users } = collections;

  async function takenFields(username_key: string, email_key: string): Promise<FieldError[]> {
    const found = await users
      .find({ $or: [{ username_key }, { email_key }] }, { projection: { username_key: 1, email_key: 1 } })
      .toArray();
    const taken: FieldError[] = [];
    if (found.some((user) => user.username_key === username_key)) taken.push({ path: 'username', message: 'is taken' });
    if (found.some((user) => user.email_key === email_key)) taken.push({ path: 'email', message: 'is taken' });
    return taken;
  }

  function find(login: string, options?: FindOptions): Promise<UserDocument | null> {
    const key = login.toLowerCase();
    return users.findOne(key.includes('@') ? { email_key: key } : { username_key: key }, options);
  }

  function refuseTaken(taken: FieldError[]): void {
    if (taken[0]) throw conflict(`${taken[0].path} is taken`, taken);
  }

  return {
    async register({ username, email, password, full_name = null }) {
      const username_key = username.toLowerCase();
      const email_key = email.toLowerCase();
      // Spares the hash for what is taken; the unique indexes decide.
      refuseTaken(await takenFields(username_key, email_key));
      const hash = await passwords.hash(password);
      const now = clock();
      const user: UserDocument = {
        _id: new ObjectId(),
        username,
        username_key,
        email,
        email_key,
        password: hash,
        password_history: [],
        last_password_change: now,
        full_name,
        full_name_key: searchKey(full_name),
        profile_picture: null,
        bio: '',
        settings: { notifications_enabled: true, read_receipts_enabled: true, typing_indicators_enabled: true },
        created_at: now,
        updated_at: now,
        last_seen: now,
        is_active: true,
      };
      // The session first: without its user it is nobody's, while a user without an answer would keep the name taken.
      const tokens = await sessions.start(user._id);
      try {
        await users.insertOne(user);
      } catch (error) {
        if (isDuplicateKey(error)) refuseTaken(await takenFields(username_key, email_key));
        throw error;
      }
      return { user: toSelf(user), ...tokens };
    },

    async idOf(login) {
      return (await find(login, { projection: { _id: 1 } }))?._id.toHexString();
    },

    async login({ login, password, device_info }) {
      const user = await find(login);
      const matches = await passwords.verify(password, user?.is_active ? user.password : undefined);
      if (!user || !matches) throw unauthenticated('wrong login or password');
      const tokens = await sessions.start(user._id, device_info);
      // A password change ends the sessions it finds: one that began during it has to look for itself.
      const unchanged = await users.findOne({ _id: user._id, password: user.password, is_active: true });
      if (!unchanged) {
        await sessions.end(user._id, tokens.session_id).catch(() => {});
        throw unauthenticated('wrong login or password');
      }
      return { user: toSelf(unchanged), ...tokens };
    },

    async changePassword(user, sessionId, current, next) {
      if (!(await passwords.verify(current, user.password))) throw forbidden('the current password is wrong');
      if (!(await options.changePassword(user, next, sessionId))) {
        throw conflict('the password was changed at the same moment', [
          { path: 'current_password', message: 'was changed at the same moment' },
        ]);
      }
    },

    async updateProfile(user, { settings = {}, ...changes }) {
      const fields: Record<string, unknown> = { ...changes };
      if (changes.full_name !== undefined) fields.full_name_key = searchKey(changes.full_name);
      for (const [name, value] of Object.entries(settings)) fields[`settings.${name}`] = value;
      if (Object.keys(fields).length === 0) return user;
      if (changes.profile_picture) await options.profilePicture(user._id.toHexString(), changes.profile_picture);
      const updated = await users.findOneAndUpdate(
        { _id: user._id, is_active: true },
        { $set: { ...fields, updated_at: clock() }, $inc: { version: 1 } },
        { returnDocument: 'after' },
      );
      if (!updated) throw unauthenticated('the account is deactivated');
      options.onProfileChanged(updated);
      return updated;
    },

    async deactivate(user, password) {
      if (!(await passwords.verify(password, user.password))) throw forbidden('the password is wrong');
      // Before as well as after: a process that dies in between leaves no connection of a deactivated user.
      await sessions.endAll(user._id);
      const { matchedCount } = await options.whileDeactivating(() =>
        users.updateOne(
          { _id: user._id, password: user.password },
          { $set: { is_active: false, updated_at: clock() }, $inc: { version: 1 } },
        ),
      );
      if (matchedCount === 0) throw forbidden('the password is wrong');
      await sessions.endAll(user._id);
      options.onDeactivated(user._id.toHexString());
    },
  };
}
