/** The accounts of a run: registered, or made by the operator's server key. */
import { setTimeout as pause } from 'node:timers/promises';

export interface Account {
  user_id: string;
  access_token: string;
  refresh_token: string;
  /** Seconds. */
  expires_in: number;
}

export interface AccountMaker {
  url: string;
  serverKey?: string;
  /** Told why it takes longer, in words for the operator. */
  onNotice(text: string): void;
}

/** How long the server may put off one account in all, in milliseconds. */
const PATIENCE_MS = 60_000;
/** Between two attempts where the server does not say how long to wait. */
const PAUSE_MS = 1000;
/** One hash of a password takes a third of a second of the server's CPU. */
const REQUEST_MS = 60_000;

interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the answers looked into here are few
  json: any;
}

async function request(url: string, method: string, body: object, bearer?: string): Promise<Answer> {
  const options = {
    method,
    headers: { 'content-type': 'application/json', ...(bearer ? { authorization: `Bearer ${bearer}` } : {}) },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(REQUEST_MS),
  };
  const response = await fetch(url, options).catch((error: Error & { cause?: { code?: string } }) => {
    throw new Error(`no answer from ${url}: ${error.cause?.code ?? error.message}`);
  });
  return { status: response.status, json: await response.json().catch(() => undefined) };
}

/**
 * Makes an account and its session, and waits where the server asks for that.
 * @param name a username that nobody has
 * @throws Error in words for the operator
 */
export async function makeAccount({ url, serverKey, onNotice }: AccountMaker, name: string): Promise<Account> {
  const make = serverKey === undefined ? () => register(url, name) : () => mint(url, serverKey, name);
  for (let left = PATIENCE_MS; ; ) {
    const { status, json } = await make();
    if (status === 201) return { ...json, user_id: json.user._id };
    const wait = status === 503 ? PAUSE_MS : status === 429 ? (json?.error?.details?.retry_after_ms ?? PAUSE_MS) : 0;
    if (wait === 0) throw new Error(`no account: the server answered ${status} ${JSON.stringify(json)}`);
    left -= wait;
    if (left < 0) throw new Error(status === 429 ? limited(wait) : 'the server is too busy to make accounts');
    if (status === 429) onNotice(limited(wait));
    await pause(wait);
  }
}

function limited(retryAfterMs: number): string {
  return (
    `the server limits how many accounts are made (try again in ${Math.ceil(retryAfterMs / 1000)} s): ` +
    'start it with RATE_LIMITS=off for a load test, see "Limits" in docs/operations.md'
  );
}

function register(url: string, username: string): Promise<Answer> {
  const body = { username, email: `${username}@load.invalid`, password: 'A-load-test-9' };
  return request(`${url}/auth/register`, 'POST', body);
}

async function mint(url: string, serverKey: string, username: string): Promise<Answer> {
  const user = `${url}/server/users/${encodeURIComponent(username)}`;
  const made = await request(user, 'PUT', { username }, serverKey);
  if (made.status !== 200 && made.status !== 201) return made;
  return request(`${user}/sessions`, 'POST', {}, serverKey);
}

/** A part of a token's life after which it is renewed. */
const RENEW_AFTER = 0.75;

/**
 * Renews the tokens of an account in place before they expire, again and again, until the server refuses.
 * @returns a function that stops it
 */
export function renewInTime(url: string, account: Account, on: { renewed(): void; failed(): void }): () => void {
  let timer: NodeJS.Timeout;
  function plan(): void {
    timer = setTimeout(
      () => void renew().then(on.renewed).then(plan, on.failed),
      account.expires_in * 1000 * RENEW_AFTER,
    );
    timer.unref();
  }
  async function renew(): Promise<void> {
    const { refresh_token } = account;
    const { status, json } = await request(`${url}/auth/refresh`, 'POST', { refresh_token });
    if (status !== 200) throw new Error(`refresh: ${status}`);
    account.access_token = json.access_token;
    account.refresh_token = json.refresh_token;
    account.expires_in = json.expires_in;
  }
  plan();
  return () => clearTimeout(timer);
}
