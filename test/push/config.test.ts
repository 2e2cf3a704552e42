import { createECDH, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../server/config.ts';
import { loadVapidKeys } from '../../server/push/vapid-keys.ts';
import { apnsKey, serviceAccount, vapidKeys } from './support/keys.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'letsapp-push-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const pushOf = (env: Record<string, string>) => readConfig(env).push;
const refused = (env: Record<string, string>, reason: RegExp) => expect(() => readConfig(env)).toThrow(reason);

describe('the settings of Web Push', () => {
  it('are generated keys in development, and none in production', () => {
    expect(pushOf({}).vapidKeys).toBe('generated');
    expect(pushOf({ NODE_ENV: 'production', JWT_SECRET: 'x'.repeat(32) }).vapidKeys).toBeUndefined();
  });

  it('take a pair of keys, and refuse one that does not fit, half of one, and what is no key', () => {
    const [one, other] = [vapidKeys(), vapidKeys()];
    const { publicKey: VAPID_PUBLIC_KEY, privateKey: VAPID_PRIVATE_KEY } = one;
    expect(pushOf({ VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY }).vapidKeys).toEqual(one);
    refused(
      { VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY: other.privateKey },
      /^VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY .*pair$/,
    );
    refused({ VAPID_PUBLIC_KEY }, /VAPID_PRIVATE_KEY/);
    refused({ VAPID_PRIVATE_KEY }, /VAPID_PUBLIC_KEY/);
    refused({ VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY: 'a secret' }, /^VAPID_PRIVATE_KEY (?!.*a secret)/);
  });

  it('take a subject that a push service can write to, by default the public address', () => {
    for (const VAPID_SUBJECT of ['mailto:ops@example.org', 'https://example.org/contact']) {
      expect(pushOf({ VAPID_SUBJECT }).vapidSubject).toBe(VAPID_SUBJECT);
    }
    expect(pushOf({ PUBLIC_URL: 'https://chat.example.org' }).vapidSubject).toBe('https://chat.example.org');
    for (const VAPID_SUBJECT of ['ops@example.org', 'http://example.org', 'mailto:ops']) {
      refused({ VAPID_SUBJECT }, /VAPID_SUBJECT/);
    }
  });

  it('generate keys once for all that start in the same folder, and stop at a file that holds none', async () => {
    const dataDir = path.join(folder, 'vapid');
    const loaded = await Promise.all([1, 2, 3].map(() => loadVapidKeys({ vapidKeys: 'generated' }, dataDir)));
    for (const keys of loaded) expect(keys).toEqual(loaded[0]);
    expect(Buffer.from(loaded[0]!.publicKey, 'base64url')).toHaveLength(65);
    const ecdh = createECDH('prime256v1');
    ecdh.setPrivateKey(Buffer.from(loaded[0]!.privateKey, 'base64url'));
    expect(ecdh.getPublicKey('base64url')).toBe(loaded[0]!.publicKey);
    await writeFile(path.join(dataDir, 'vapid-private-key'), 'no key');
    await expect(loadVapidKeys({ vapidKeys: 'generated' }, dataDir)).rejects.toThrow(/VAPID_PRIVATE_KEY/);
  });
});

describe('the settings of FCM', () => {
  it('are a service account, as JSON or the path of a file', async () => {
    const account = serviceAccount();
    const file = path.join(folder, 'account.json');
    await writeFile(file, JSON.stringify(account, null, 2));
    for (const FCM_SERVICE_ACCOUNT of [JSON.stringify(account), file]) {
      expect(pushOf({ FCM_SERVICE_ACCOUNT }).fcm).toMatchObject({
        projectId: account.project_id,
        clientEmail: account.client_email,
        url: 'https://fcm.googleapis.com',
        tokenUrl: account.token_uri,
      });
    }
    const replaced = {
      FCM_SERVICE_ACCOUNT: file,
      FCM_URL: 'http://127.0.0.1:1/',
      FCM_TOKEN_URL: 'http://127.0.0.1:2/t',
    };
    expect(pushOf(replaced).fcm).toMatchObject({ url: 'http://127.0.0.1:1', tokenUrl: 'http://127.0.0.1:2/t' });
  });

  it('are refused where they are incomplete or wrong, and never quoted', () => {
    const { private_key, ...withoutKey } = serviceAccount();
    for (const wrong of [
      '{',
      '/no/such/file',
      JSON.stringify(withoutKey),
      JSON.stringify({ ...withoutKey, private_key: 'no key' }),
      JSON.stringify({ ...withoutKey, private_key: apnsKey() }),
      JSON.stringify({ private_key, client_email: 'a@example.org' }),
    ]) {
      refused({ FCM_SERVICE_ACCOUNT: wrong }, /^FCM_SERVICE_ACCOUNT (?!.*PRIVATE KEY)[^\n]*$/);
    }
    refused({ FCM_URL: 'http://127.0.0.1:1' }, /FCM_SERVICE_ACCOUNT/);
    refused({ FCM_TOKEN_URL: 'http://127.0.0.1:1' }, /FCM_SERVICE_ACCOUNT/);
  });
});

describe('the settings of APNs', () => {
  const complete = () => ({ APNS_KEY: apnsKey(), APNS_KEY_ID: 'K', APNS_TEAM_ID: 'T', APNS_TOPIC: 'org.example.chat' });

  it('are a key, as text or the path of a file, its names and a topic', async () => {
    const env = complete();
    const file = path.join(folder, 'AuthKey.p8');
    await writeFile(file, env.APNS_KEY);
    const flat = env.APNS_KEY.replaceAll('\n', '\\n');
    for (const APNS_KEY of [env.APNS_KEY, flat, file]) {
      expect(pushOf({ ...env, APNS_KEY }).apns).toMatchObject({
        keyId: 'K',
        teamId: 'T',
        topic: 'org.example.chat',
        url: 'https://api.push.apple.com',
      });
    }
    expect(pushOf({ ...env, APNS_URL: 'http://127.0.0.1:1' }).apns?.url).toBe('http://127.0.0.1:1');
    expect(pushOf({}).apns).toBeUndefined();
  });

  it('are refused where one is missing or the key is of another kind', () => {
    for (const name of Object.keys(complete())) refused({ ...complete(), [name]: '' }, new RegExp(name));
    refused({ APNS_URL: 'http://127.0.0.1:1' }, /APNS_KEY/);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
    const other = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    refused({ ...complete(), APNS_KEY: other }, /^APNS_KEY (?!.*BEGIN)[^\n]*$/);
    refused({ ...complete(), APNS_KEY: '/no/such/file' }, /APNS_KEY/);
  });
});
