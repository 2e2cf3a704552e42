/** The providers of push notifications (PROTOCOL section 15): those that are set up, and where they are. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Environment, readSwitch, readText, readUrl, wrongSetting } from '../lib/environment.ts';
import { ConfigError } from '../lib/errors.ts';
import { publicKeyOf } from '../lib/p256.ts';

export interface VapidKeys {
  /** Raw, in base64url. */
  publicKey: string;
  privateKey: string;
}

export interface FcmConfig {
  projectId: string;
  clientEmail: string;
  key: KeyObject;
  /** The address of FCM, without a path. */
  url: string;
  tokenUrl: string;
}

export interface ApnsConfig {
  key: KeyObject;
  keyId: string;
  teamId: string;
  topic: string;
  /** The address of APNs, without a path. */
  url: string;
}

export interface PushConfig {
  /** Whether endpoints of Web Push may be private, and `http`. */
  allowPrivate: boolean;
  /** Whether pushes carry the beginning of a message. */
  preview: boolean;
  /** Undefined where Web Push is not set up; `generated` where the keys are kept in the data folder. */
  vapidKeys: VapidKeys | 'generated' | undefined;
  /** Whom a push service writes to: `mailto:` or `https:`. */
  vapidSubject: string;
  fcm: FcmConfig | undefined;
  apns: ApnsConfig | undefined;
}

const PAIR = 'npx web-push generate-vapid-keys makes a pair';
const ACCOUNT_FILE = '/run/secrets/fcm-service-account.json';
const APNS_FILE = '/run/secrets/AuthKey_ABCDE12345.p8';
const TOKEN_URL = 'https://oauth2.googleapis.com/token';

/** @throws ConfigError where the settings of a provider are incomplete or wrong */
export function readPush(env: Environment, production: boolean): { push: PushConfig } {
  return {
    push: {
      allowPrivate: readSwitch(env, 'PUSH_ALLOW_PRIVATE', 'off'),
      preview: readSwitch(env, 'PUSH_PREVIEW', 'off'),
      vapidKeys: readVapidKeys(env) ?? (production ? undefined : 'generated'),
      vapidSubject: readVapidSubject(env),
      fcm: readFcm(env),
      apns: readApns(env),
    },
  };
}

function readVapidKeys(env: Environment): VapidKeys | undefined {
  const publicKey = readText(env, 'VAPID_PUBLIC_KEY');
  const privateKey = readText(env, 'VAPID_PRIVATE_KEY');
  if (publicKey === undefined && privateKey === undefined) return undefined;
  if (publicKey === undefined || privateKey === undefined) {
    throw new ConfigError(`VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY need each other: set both or neither; ${PAIR}`);
  }
  const derived = publicKeyOf(privateKey);
  if (derived === undefined) {
    throw new ConfigError(`VAPID_PRIVATE_KEY must be a key of P-256, 32 bytes in base64url; ${PAIR}`);
  }
  if (derived !== Buffer.from(publicKey, 'base64url').toString('base64url')) {
    throw new ConfigError(`VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY must belong together; ${PAIR}`);
  }
  return { publicKey: derived, privateKey: Buffer.from(privateKey, 'base64url').toString('base64url') };
}

function readVapidSubject(env: Environment): string {
  const subject = readText(env, 'VAPID_SUBJECT');
  if (subject !== undefined) {
    if (/^mailto:[^\s@]+@[^\s@]+$/.test(subject)) return subject;
    if (subject.startsWith('https://') && URL.canParse(subject)) return subject;
    throw wrongSetting('VAPID_SUBJECT', 'must be a mailto: address or an https: URL', 'mailto:operator@example.org');
  }
  const publicUrl = readText(env, 'PUBLIC_URL');
  return publicUrl?.startsWith('https://') ? publicUrl : 'mailto:no-reply@localhost';
}

function readFcm(env: Environment): FcmConfig | undefined {
  const account = readText(env, 'FCM_SERVICE_ACCOUNT');
  const url = readAddress(env, 'FCM_URL');
  const tokenUrl = readUrl(env, 'FCM_TOKEN_URL', ['http:', 'https:']);
  if (account === undefined) {
    const alone = url !== undefined ? 'FCM_URL' : tokenUrl !== undefined ? 'FCM_TOKEN_URL' : undefined;
    if (alone !== undefined) throw new ConfigError(`${alone} needs FCM_SERVICE_ACCOUNT`);
    return undefined;
  }
  const { project_id, client_email, private_key, token_uri } = readServiceAccount(account);
  return {
    projectId: project_id,
    clientEmail: client_email,
    key: readKey(private_key, 'rsa', () =>
      wrongSetting('FCM_SERVICE_ACCOUNT', 'must have an RSA private_key in PEM form', ACCOUNT_FILE),
    ),
    url: url ?? 'https://fcm.googleapis.com',
    tokenUrl: tokenUrl ?? token_uri ?? TOKEN_URL,
  };
}

interface ServiceAccount {
  project_id: string;
  client_email: string;
  private_key: string;
  token_uri?: string;
}

function readServiceAccount(text: string): ServiceAccount {
  const json = text.startsWith('{') ? text : readFile('FCM_SERVICE_ACCOUNT', text, ACCOUNT_FILE);
  let account: Partial<ServiceAccount>;
  try {
    account = Object(JSON.parse(json));
  } catch {
    // The cause is left out: it might quote the key.
    throw wrongSetting(
      'FCM_SERVICE_ACCOUNT',
      'must be the JSON of a service account, or the path of such a file',
      ACCOUNT_FILE,
    );
  }
  for (const name of ['project_id', 'client_email', 'private_key'] as const) {
    if (typeof account[name] !== 'string' || account[name] === '') {
      throw wrongSetting('FCM_SERVICE_ACCOUNT', `must have ${name}`, ACCOUNT_FILE);
    }
  }
  if (account.token_uri !== undefined && !URL.canParse(account.token_uri)) {
    throw wrongSetting('FCM_SERVICE_ACCOUNT', 'must have a URL as token_uri', ACCOUNT_FILE);
  }
  return account as ServiceAccount;
}

function readApns(env: Environment): ApnsConfig | undefined {
  const names = ['APNS_KEY', 'APNS_KEY_ID', 'APNS_TEAM_ID', 'APNS_TOPIC'] as const;
  const texts = names.map((name) => readText(env, name));
  const url = readAddress(env, 'APNS_URL');
  if (url === undefined && texts.every((text) => text === undefined)) return undefined;
  const missing = names.filter((_, i) => texts[i] === undefined);
  if (missing.length > 0) throw new ConfigError(`${missing.join(' and ')} must be set too where APNs is used`);
  const [key, keyId, teamId, topic] = texts as [string, string, string, string];
  const pem = key.startsWith('-----BEGIN') ? key : readFile('APNS_KEY', key, APNS_FILE);
  return {
    key: readKey(pem, 'ec', () =>
      wrongSetting('APNS_KEY', 'must be a private key of P-256 as Apple gives it, or the path of one', APNS_FILE),
    ),
    keyId,
    teamId,
    topic,
    url: url ?? 'https://api.push.apple.com',
  };
}

/** An address that paths are appended to. */
function readAddress(env: Environment, name: string): string | undefined {
  return readUrl(env, name, ['http:', 'https:'])?.replace(/\/+$/, '');
}

function readKey(pem: string, type: 'rsa' | 'ec', refusal: () => ConfigError): KeyObject {
  try {
    // Environment files cannot hold line breaks, so PEM arrives with a written \n for each.
    const key = createPrivateKey(pem.replaceAll('\\n', '\n'));
    const { namedCurve } = key.asymmetricKeyDetails ?? {};
    if (key.asymmetricKeyType === type && (type === 'rsa' || namedCurve === 'prime256v1')) return key;
  } catch {
    // The cause is left out: it might quote the key.
  }
  throw refusal();
}

function readFile(name: string, file: string, example: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw wrongSetting(name, `names a file that cannot be read (${code})`, example);
  }
}
