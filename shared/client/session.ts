/** Signing in over HTTP, and an access token that is always fresh. */
import type { SignedIn, Tokens } from '../contract/accounts.ts';
import type { WireError } from '../contract/errors.ts';
import { ClientError } from './errors.ts';

/** A token with less than this left is replaced, in milliseconds. */
const FRESH_MS = 60_000;

/** What a device keeps of its session. */
export interface StoredSession {
  session_id: string;
  access_token: string;
  refresh_token: string;
  /** When the access token ends, in milliseconds since 1970. */
  expires_at: number;
}

/** One HTTP request of the contract; throws a `ClientError` with the server's refusal. */
export async function request<T>(url: string, method: string, route: string, body: unknown): Promise<T> {
  const response = await fetch(url + route, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as T & { error?: WireError };
  if (!response.ok) throw new ClientError(answer.error ?? { code: 'internal', message: `HTTP ${response.status}` });
  return answer;
}

/** What to keep of an answer to a registration, sign-in or refresh. */
export function toStored({ session_id, access_token, refresh_token, expires_in }: Tokens | SignedIn): StoredSession {
  return { session_id, access_token, refresh_token, expires_at: Date.now() + expires_in * 1000 };
}

/**
 * Gives access tokens for `connect`, and replaces them in time.
 * @param onRotated is told the new tokens before they are used: a refresh token works once
 */
export function tokenSource(
  url: string,
  session: StoredSession,
  onRotated: (session: StoredSession) => void | Promise<void> = () => {},
): () => Promise<string> {
  let current = session;
  let refreshing: Promise<void> | undefined;
  async function refresh(): Promise<void> {
    const { refresh_token } = current;
    current = toStored(await request<Tokens>(url, 'POST', '/auth/refresh', { refresh_token }));
    await onRotated(current);
  }
  return async () => {
    if (current.expires_at - Date.now() < FRESH_MS) {
      refreshing ??= refresh().finally(() => {
        refreshing = undefined;
      });
      await refreshing;
    }
    return current.access_token;
  };
}
