/** Away devices: sessions with a subscription at a push service of the test, and what that was sent for them. */
import { type Account, type Device, http, register } from '../../support/client.ts';
import type { HttpStandIn } from './http-stand-in.ts';
import { type Browser, browser } from './rfc8291.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into payloads of every shape
export type Pushed = any;

export interface Away {
  account: Account;
  subscription_id: string;
  path: string;
  browser: Browser;
  /** What was pushed to it and taken, in order. */
  pushed(): Pushed[];
}

let serial = 0;

/** Has a session named a subscription over HTTP; it has no connection. */
export async function subscribeAway(url: string, service: HttpStandIn, account: Account): Promise<Away> {
  const path = `/wpush/${++serial}`;
  const device = browser(service.url + path);
  const body = { provider: 'webpush', subscription: device.subscription };
  const { status, json } = await http(url, 'POST', '/api/push/subscribe', { token: account.access_token, body });
  if (status !== 200) throw new Error(`push:subscribe: ${JSON.stringify(json)}`);
  const pushed = () =>
    service.received.filter((one) => one.path === path && one.taken).map(({ body }) => device.decrypt(body));
  return { account, subscription_id: json.data.subscription_id, path, browser: device, pushed };
}

/** A new user whose one session is away. */
export async function someoneAway(url: string, service: HttpStandIn): Promise<Away> {
  return subscribeAway(url, service, await register(url));
}

/** A further session of an account. */
export async function signIn(url: string, { username, password }: Account): Promise<Account> {
  const { json } = await http(url, 'POST', '/auth/login', { body: { login: username, password } });
  return { ...json, username, password, id: json.user._id };
}

/** Calls a command over HTTP, as a session without a connection. @returns its data */
export async function command(url: string, { access_token }: Account, name: string, body: object): Promise<Pushed> {
  const { status, json } = await http(url, 'POST', `/api/${name.replace(':', '/')}`, { token: access_token, body });
  if (status !== 200) throw new Error(`${name}: ${JSON.stringify(json)}`);
  return json.data;
}

export const personOf = ({ account }: Pick<Device, 'account'>) => ({
  user_id: account.id,
  username: account.username,
  full_name: account.user.full_name,
});
