/** Accounts of the server itself: signing in, and an access token that is always fresh. */
import { claimsOf } from '../connection/token.ts';
import type { Self, SignedIn, Tokens } from '../contract.ts';
import { ClientError } from '../errors.ts';
import { withLock } from '../storage/locks.ts';
import { memory } from '../storage/memory.ts';
import { decode, encode } from '../storage/records.ts';
import type { Storage } from '../storage/storage.ts';
import { originOf } from './origin.ts';
import { request } from './request.ts';

/** A token with less than this left is replaced, in milliseconds; of a short-lived one with half of its time left. */
const FRESH_MS = 60_000;
const KEY = 'letsapp/session';

/** Gives access tokens. */
export interface TokenSource {
  (): Promise<string>;
  /** Whose they are, also where none can be had because there is no connection. */
  owner?(): Promise<string | undefined>;
}

export interface Session {
  /** Who is signed in, as of the sign-in; undefined where nobody is, and until what the storage has is read. */
  readonly user: Self | undefined;
  /** Resolves when what the storage has is read, with who is signed in. */
  ready(): Promise<Self | undefined>;
  /** @throws ClientError `conflict` where the name or the address is taken; `details[0].path` says which */
  register(account: {
    username: string;
    email: string;
    password: string;
    full_name?: string | null;
  }): Promise<{ user: Self }>;
  /** @throws ClientError `unauthenticated` where there is no such user, or the password is another */
  login(credentials: { login: string; password: string; device_info?: object }): Promise<{ user: Self }>;
  /** Ends the session on the server, as far as it can be reached, and forgets it here in any case. */
  logout(): Promise<void>;
  /** For `connect`. @throws ClientError `unauthenticated` where nobody is signed in, or the session has ended */
  getToken: TokenSource;
}

/** What is stored. */
interface Stored {
  user: Self;
  access_token: string;
  refresh_token: string;
  /** Until when the access token is used, in milliseconds since 1970 by this device's clock. */
  fresh_until: number;
}

const signedOut = () => new ClientError({ code: 'unauthenticated', message: 'nobody is signed in' });

/**
 * A session of one of the server's own accounts.
 * @param url of the server, without a path
 * @param storage keeps the tokens: all tabs that use it are one session
 */
export function session(url: string, storage: Storage = memory()): Session {
  const origin = originOf(url);
  let user: Self | undefined;
  let refreshing: Promise<string> | undefined;
  /** Where the storage refuses: what it should have. */
  let unstored: Stored | undefined;
  const reading = read().catch(() => undefined);

  async function read(): Promise<Stored | undefined> {
    const text = unstored ? undefined : await storage.get(KEY);
    const stored = unstored ?? (text ? decode<Stored>(text) : undefined);
    user = stored?.user;
    return stored;
  }

  async function keep(signedIn: Tokens, whose: Self): Promise<void> {
    const { access_token, refresh_token, expires_in } = signedIn;
    const life = expires_in * 1000;
    const fresh_until = Date.now() + life - Math.min(FRESH_MS, life / 2);
    const stored: Stored = { user: whose, access_token, refresh_token, fresh_until };
    user = whose;
    unstored = stored;
    // A storage that refuses must not end the session: it lasts as long as this page then.
    await storage.set(KEY, encode(stored)).then(
      () => {
        unstored = undefined;
      },
      () => {},
    );
  }

  async function forget(): Promise<void> {
    user = undefined;
    unstored = undefined;
    await storage.delete(KEY).catch(() => {});
  }

  const isFresh = (stored: Stored) => Date.now() < stored.fresh_until;

  /** A refresh token works once: of all who share the storage one uses it, and the others find what it brought. */
  const refresh = () =>
    withLock(storage, KEY, async () => {
      const stored = await read();
      if (!stored) throw signedOut();
      if (isFresh(stored)) return stored.access_token;
      const { refresh_token } = stored;
      try {
        const tokens = await request<Tokens>(origin, 'POST', '/auth/refresh', { body: { refresh_token } });
        await keep(tokens, stored.user);
        return tokens.access_token;
      } catch (error) {
        if (error instanceof ClientError && error.code === 'unauthenticated') await forget();
        throw error;
      }
    });

  async function getToken(): Promise<string> {
    await reading;
    const stored = await read();
    if (!stored) throw signedOut();
    if (isFresh(stored)) return stored.access_token;
    refreshing ??= refresh().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  async function signIn(route: string, body: object): Promise<{ user: Self }> {
    const signedIn = await request<SignedIn>(origin, 'POST', route, { body });
    await withLock(storage, KEY, () => keep(signedIn, signedIn.user));
    return { user: signedIn.user };
  }

  return {
    get user() {
      return user;
    },
    ready: async () => {
      await reading;
      return user;
    },
    register: (account) => signIn('/auth/register', account),
    login: (credentials) => signIn('/auth/login', credentials),
    async logout() {
      const token = await getToken().catch(() => undefined);
      if (token !== undefined) await request(origin, 'POST', '/auth/logout', { token }).catch(() => {});
      await withLock(storage, KEY, forget);
    },
    getToken: Object.assign(getToken, {
      async owner() {
        const stored = await read().catch(() => undefined);
        return stored && (claimsOf(stored.access_token).sub ?? stored.user._id);
      },
    }),
  };
}
