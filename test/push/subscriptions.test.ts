import { createECDH, randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, connect, type Device, http, register } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { sharedServer, startServer, startServerForTest, type TestServer } from '../support/server.ts';
import { startProcessForTest } from '../support/server-process.ts';
import { apnsKey, serviceAccount, vapidKeys } from './support/keys.ts';

const providers = {
  PUSH_ALLOW_PRIVATE: 'on',
  FCM_SERVICE_ACCOUNT: JSON.stringify(serviceAccount()),
  APNS_KEY: apnsKey(),
  APNS_KEY_ID: 'KEY',
  APNS_TEAM_ID: 'TEAM',
  APNS_TOPIC: 'org.example.chat',
};

let database: TestDatabase;
let server: TestServer;
let mongodb: MongoClient;
const stored = () => mongodb.db().collection('push_subscriptions');
beforeAll(async () => {
  database = await startDatabase();
  server = await startServer({ env: { ...providers, MONGODB_URL: database.url } });
  mongodb = await new MongoClient(database.url).connect();
});
afterAll(async () => {
  await mongodb?.close();
  await server?.stop();
  await database?.stop();
});

function browser(endpoint = `https://push.example.org/${randomBytes(8).toString('hex')}`) {
  const ecdh = createECDH('prime256v1');
  ecdh.generateKeys();
  return {
    endpoint,
    keys: { p256dh: ecdh.getPublicKey('base64url'), auth: randomBytes(16).toString('base64url') },
    expirationTime: null,
  };
}
const token = () => randomBytes(32).toString('hex');
const someone = async (): Promise<[Device, Account]> => {
  const account = await register(server.url);
  return [await connect(server.url, account), account];
};
const login = async ({ username, password }: Account): Promise<Account> => {
  const { json } = await http(server.url, 'POST', '/auth/login', { body: { login: username, password } });
  return { ...json, username, password, id: json.user._id };
};
const listed = async (device: Device) =>
  (await device.ok('push:list')).subscriptions.map(({ subscription_id }) => subscription_id);

describe('a subscription', () => {
  it('of each provider is listed with its id, provider and time, and nothing else, until it is ended', async () => {
    const [device] = await someone();
    const named = [
      await device.ok('push:subscribe', { provider: 'webpush', subscription: browser() }),
      await device.ok('push:subscribe', { provider: 'fcm', subscription: { token: 'a:token' } }),
      await device.ok('push:subscribe', { provider: 'apns', subscription: { token: token(), voip_token: token() } }),
    ];
    const { subscriptions } = await device.ok('push:list');
    expect(subscriptions.map(({ provider }) => provider)).toEqual(['webpush', 'fcm', 'apns']);
    expect(subscriptions.map(({ subscription_id }) => ({ subscription_id }))).toEqual(named);
    for (const one of subscriptions) {
      expect(Object.keys(one).sort()).toEqual(['created_at', 'provider', 'subscription_id']);
      expect(Date.now() - Date.parse(one.created_at)).toBeLessThan(60_000);
    }
    expect(await device.ok('push:unsubscribe', named[1]!)).toEqual({});
    expect(await listed(device)).toEqual([named[0]!.subscription_id, named[2]!.subscription_id]);
    expect((await device.refused('push:unsubscribe', named[1])).code).toBe('not_found');
  });

  it('named again is the same one, however often and at once, and what it says last holds', async () => {
    const [device] = await someone();
    const first = { token: token().toUpperCase(), voip_token: token() };
    const ids = await Promise.all(
      Array.from({ length: 8 }, () => device.ok('push:subscribe', { provider: 'apns', subscription: first })),
    );
    expect(new Set(ids.map(({ subscription_id }) => subscription_id)).size).toBe(1);
    const again = { token: first.token.toLowerCase() };
    expect(await device.ok('push:subscribe', { provider: 'apns', subscription: again })).toEqual(ids[0]);
    const found = await stored().find({ address: again.token }).toArray();
    expect(found).toHaveLength(1);
    expect(found[0]).not.toHaveProperty('voip_token');
  });

  it('belongs to the session that named it last, also of another user, with the same id', async () => {
    const [one] = await someone();
    const [other, account] = await someone();
    const subscription = browser();
    const { subscription_id } = await one.ok('push:subscribe', { provider: 'webpush', subscription });
    const renewed = { ...browser(subscription.endpoint) };
    expect(await other.ok('push:subscribe', { provider: 'webpush', subscription: renewed })).toEqual({
      subscription_id,
    });
    expect(await listed(one)).toEqual([]);
    expect((await one.refused('push:unsubscribe', { subscription_id })).code).toBe('not_found');
    expect(await listed(other)).toEqual([subscription_id]);
    const second = await connect(server.url, await login(account));
    expect(await listed(second)).toEqual([]);
    expect((await second.refused('push:unsubscribe', { subscription_id })).code).toBe('not_found');
  });

  it('is one of five: then the oldest goes, also when many come at once', async () => {
    const [device] = await someone();
    const name = async () =>
      (await device.ok('push:subscribe', { provider: 'fcm', subscription: { token: token() } })).subscription_id;
    const ids: string[] = [];
    for (let i = 0; i < 6; i++) ids.push(await name());
    expect(await listed(device)).toEqual(ids.slice(1));
    await Promise.all(Array.from({ length: 10 }, name));
    expect(await listed(device)).toHaveLength(5);
  });

  it('can be named over HTTP', async () => {
    const account = await register(server.url);
    const post = (route: string, body: object) =>
      http(server.url, 'POST', `/api/push/${route}`, { token: account.access_token, body });
    const { status, json } = await post('subscribe', { provider: 'fcm', subscription: { token: 't' } });
    expect(status).toBe(200);
    expect((await post('list', {})).json.data.subscriptions).toHaveLength(1);
    expect((await post('unsubscribe', json.data)).json).toEqual({ data: {} });
  });
});

describe('a subscription ends with its session', () => {
  const ways: [string, (account: Account) => Promise<unknown>][] = [
    ['signing out', ({ access_token }) => http(server.url, 'POST', '/auth/logout', { token: access_token })],
    [
      'being ended by another session',
      async (account) => {
        const other = await login(account);
        return http(server.url, 'DELETE', `/auth/sessions/${account.session_id}`, { token: other.access_token });
      },
    ],
    [
      'a new password',
      async (account) => {
        const other = await login(account);
        const body = { current_password: account.password, new_password: 'Another-horse-10' };
        return http(server.url, 'POST', '/auth/password/change', { token: other.access_token, body });
      },
    ],
    [
      'a refresh token that is used twice',
      async ({ refresh_token }) => {
        for (let i = 0; i < 2; i++) await http(server.url, 'POST', '/auth/refresh', { body: { refresh_token } });
      },
    ],
    [
      'the end of the account',
      ({ access_token, password }) =>
        http(server.url, 'DELETE', '/users/me', { token: access_token, body: { password } }),
    ],
  ];
  it.each(ways)('by %s', async (_way, end) => {
    const [device, account] = await someone();
    await device.ok('push:subscribe', { provider: 'fcm', subscription: { token: token() } });
    const ofUser = { user_id: (await stored().findOne({}, { sort: { _id: -1 } }))!.user_id };
    expect(await stored().countDocuments(ofUser)).toBe(1);
    await end(account);
    await eventually(async () => expect(await stored().countDocuments(ofUser)).toBe(0));
  });
});

describe('a subscription is refused', () => {
  const off = createECDH('prime256v1');
  off.generateKeys();
  const notOnCurve = off.getPublicKey();
  notOnCurve[64] = notOnCurve[64]! ^ 1;
  const good = browser();
  it.each([
    ['an unknown provider', { provider: 'mail', subscription: { token: 't' } }, 'provider'],
    ['no subscription', { provider: 'fcm' }, 'subscription'],
    ["another provider's subscription", { provider: 'fcm', subscription: good }, 'subscription.token'],
    ['a token that is an object', { provider: 'fcm', subscription: { token: { $gt: '' } } }, 'subscription.token'],
    ['an empty token', { provider: 'fcm', subscription: { token: '' } }, 'subscription.token'],
    ['a token that is not hexadecimal', { provider: 'apns', subscription: { token: '../1' } }, 'subscription.token'],
    ['a property more', { provider: 'apns', subscription: { token: 'ab', topic: 'x' } }, 'subscription.topic'],
    ['no keys', { provider: 'webpush', subscription: { endpoint: good.endpoint } }, 'subscription.keys'],
    [
      'a key that is too short',
      { provider: 'webpush', subscription: { ...good, keys: { ...good.keys, p256dh: 'BA' } } },
      'subscription.keys.p256dh',
    ],
    [
      'a key that is not on the curve',
      {
        provider: 'webpush',
        subscription: { ...good, keys: { ...good.keys, p256dh: notOnCurve.toString('base64url') } },
      },
      'subscription.keys.p256dh',
    ],
    [
      'a secret that is too short',
      { provider: 'webpush', subscription: { ...good, keys: { ...good.keys, auth: 'AAAA' } } },
      'subscription.keys.auth',
    ],
    [
      'an endpoint that is no URL',
      { provider: 'webpush', subscription: { ...good, endpoint: 'push' } },
      'subscription.endpoint',
    ],
  ])('for %s', async (_what, payload, at) => {
    const [device] = await someone();
    const error = await device.refused('push:subscribe', payload);
    expect(error.code).toBe('validation_failed');
    expect((error.details as { path: string }[])[0]!.path).toBe(at);
    expect(await listed(device)).toEqual([]);
  });

  it.each([
    'http://push.example.org/a',
    'https://127.0.0.1/a',
    'https://[::1]/a',
    'https://10.1.2.3/a',
    'https://169.254.169.254/latest/meta-data',
    'https://localhost/a',
  ])('for the endpoint %s', async (endpoint) => {
    const { url } = await sharedServer();
    const device = await connect(url, await register(url));
    const error = await device.refused('push:subscribe', { provider: 'webpush', subscription: browser(endpoint) });
    expect(error).toMatchObject({ code: 'validation_failed', details: [{ path: 'subscription.endpoint' }] });
  });

  it('for no endpoint that is public, or whose name cannot be resolved now', async () => {
    const { url } = await sharedServer();
    const device = await connect(url, await register(url));
    for (const host of ['1.1.1.1', 'name-that-is-not-there.invalid']) {
      const subscription = browser(`https://${host}/a`);
      await device.ok('push:subscribe', { provider: 'webpush', subscription });
    }
  });

  it('for a provider that is not set up, and there is no key then', async () => {
    const production = { NODE_ENV: 'production', JWT_SECRET: 'x'.repeat(32) };
    const bare = await startServerForTest({ env: production });
    const device = await connect(bare.url, await register(bare.url));
    for (const [provider, subscription] of [
      ['webpush', browser()],
      ['fcm', { token: 't' }],
      ['apns', { token: 'ab' }],
    ] as const) {
      const error = await device.refused('push:subscribe', { provider, subscription });
      expect(error).toMatchObject({ code: 'validation_failed', details: [{ path: 'provider' }] });
    }
    expect((await http(bare.url, 'GET', '/push/vapid')).status).toBe(404);
  });
});

describe('the key for browsers', () => {
  it('is the one that is set, raw, and asks for no bearer', async () => {
    const keys = vapidKeys();
    const env = { VAPID_PUBLIC_KEY: keys.publicKey, VAPID_PRIVATE_KEY: keys.privateKey };
    const { url } = await startServerForTest({ env });
    const { status, json } = await http(url, 'GET', '/push/vapid');
    expect(status).toBe(200);
    expect(json).toEqual({ public_key: keys.publicKey });
  });

  it('is generated where none is set, and kept over restarts', async () => {
    const first = await startProcessForTest();
    const { json } = await http(first.url, 'GET', '/push/vapid');
    expect(Buffer.from(json.public_key, 'base64url')).toHaveLength(65);
    await first.kill();
    const second = await startProcessForTest({ dataDir: first.dataDir });
    expect((await http(second.url, 'GET', '/push/vapid')).json).toEqual(json);
  });
});
