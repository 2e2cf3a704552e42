import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SECRETS } from '../../server/config/secret-files.ts';
import { readConfig } from '../../server/config.ts';

/** Settings without which another says nothing. */
const BESIDE: Record<string, Record<string, string>> = {
  TURN_URLS: { TURN_SECRET: 'a secret' },
  TURN_SECRET: { TURN_URLS: 'turn:turn.example.org:3478' },
  ADMIN_UI_PASSWORD: { ADMIN_UI: 'on' },
  OTEL_EXPORTER_OTLP_HEADERS: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' },
  AUTH_JWKS_URL: { AUTH_ISSUER: 'https://login.example.org', AUTH_AUDIENCE: 'chat' },
};

describe('the configuration', () => {
  it.each([
    ['PORT', 'http'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['ACCESS_TOKEN_TTL_S', '15m'],
    ['BCRYPT_COST', '3'],
    ['BCRYPT_COST', '16'],
    ['CORS_ORIGINS', 'app.example.org'],
    ['CORS_ORIGINS', 'https://app.example.org/path'],
    ['CORS_ORIGINS', 'capacitor://localhost/'],
    ['CORS_ORIGINS', '*'],
    ['JWT_SECRET', 'short'],
    ['JWT_SECRET', '-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEA\\n-----END PUBLIC KEY-----'],
    ['JWT_SECRET', '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'],
    ['JWT_ALSO_VERIFY', 'short'],
    ['JWT_ALSO_VERIFY', '["a secret of more than thirty-two bytes", "short"]'],
    ['JWT_ALSO_VERIFY', '["a secret of more than thirty-two bytes"'],
    ['JWT_ALSO_VERIFY', `["${Array(9).fill('a secret of more than thirty-two bytes').join('","')}"]`],
    ['JWT_ALSO_VERIFY', 'MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo='],
    ['JWT_ALSO_VERIFY', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI of somebody'],
    ['MONGODB_URL', 'localhost:27017'],
    ['REDIS_URL', 'localhost'],
    ['REDIS_URL', 'redis://a,http://b'],
    ['REDIS_URL', 'redis://'],
    ['SMTP_URL', 'mail.example.org'],
    ['SMTP_URL', 'smtp://'],
    ['PUBLIC_URL', 'example.org'],
    ['PUBLIC_URL', 'https://example.org/?a=b'],
    ['METRICS_TOKEN', 'two words'],
    ['API_KEY', 'thirty-one-characters-are-too-few'.slice(0, 31)],
    ['API_KEY', 'it has the length, but is of several words'],
    ['RATE_LIMITS', 'no'],
    ['AUTH_JWKS_URL', 'login.example.org'],
    ['AUTH_JWKS_URL', 'file:///keys.json'],
    ['AUTH_LOCAL', 'no'],
    ['TRUST_PROXY', 'yes'],
    ['LOG_LEVEL', 'loud'],
    ['NODE_ENV', 'prod'],
    ['MEDIA_STORAGE', 's3'],
    ['GROUP_HISTORY', 'none'],
    ['GROUP_ADD', 'nobody'],
    ['REVISIONS', 'never'],
    ['REGISTRATION', 'off'],
    ['ICE_SERVERS', '{"urls":'],
    ['ICE_SERVERS', '[{"urls":"stun.example.org"}]'],
    ['TURN_SECRET', 'without urls'],
    ['TURN_URLS', 'stun:turn.example.org'],
    ['MAX_UPLOAD_BYTES', '0'],
    ['USER_QUOTA_BYTES', '1 GiB'],
    ['MIN_FREE_BYTES', '-1'],
    ['GROUP_MAX_MEMBERS', '1e3'],
    ['CALL_RING_TIMEOUT_MS', '45s'],
    ['ADMIN_UI', 'yes'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'api-key'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'api-key=a%0d%0ab'],
  ])('refuses %s=%s in one line that names the variable, and a value that it would take', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(new RegExp(`^.*${name}.*$`));
    const refusal = messageOf(() => readConfig({ ...BESIDE[name], [name]: value }));
    if (refusal === undefined) return;
    const [, setting, example] = /; for example (\w+)=(.+)$/.exec(refusal)!;
    const good = example!.replace('$(openssl rand -hex 32)', 'f'.repeat(64));
    expect(() => readConfig({ ...BESIDE[setting!], [setting!]: good })).not.toThrow();
  });

  it.each([
    ['is not set', undefined],
    ['is short', 'hunter2'],
    ['has more bytes than bcrypt reads', 'ä'.repeat(37)],
  ])('refuses ADMIN_UI=on where its password %s', (_what, ADMIN_UI_PASSWORD) => {
    const refusal = messageOf(() => readConfig({ ADMIN_UI: 'on', ADMIN_UI_PASSWORD }));
    expect(refusal).toMatch(/^ADMIN_UI_PASSWORD must .*; for example ADMIN_UI_PASSWORD=/);
    expect(refusal).not.toMatch(/hunter2|ä/);
    expect(readConfig({ ADMIN_UI: 'off', ADMIN_UI_PASSWORD }).adminUi).toBeUndefined();
  });

  it.each([
    'readPreference=secondaryPreferred',
    'readpreference=nearest',
    'readPreferenceTags=dc:ny',
    'maxStalenessSeconds=120',
    'readConcernLevel=local',
    'w=1',
    'w=0&journal=true',
    'journal=false',
    'retryWrites=false',
    'replicaSet=rs&retryReads=false',
    'timeoutMS=100',
  ])('refuses a database that is asked for %s, in one line that names the variable and the option', (options) => {
    const [name] = options.split('&').at(-1)!.split('=');
    const refused = options === 'w=0&journal=true' ? 'w' : name;
    for (const hosts of ['db', 'user:secret@one:27017,two:27017']) {
      const env = { MONGODB_URL: `mongodb://${hosts}/letsapp?${options}` };
      expect(() => readConfig(env)).toThrow(new RegExp(`^MONGODB_URL .*${refused}=.*$`));
      expect(() => readConfig(env)).not.toThrow(/secret/);
    }
  });

  it('takes a database that is asked for what the server relies on, or for something else', () => {
    const options = 'readPreference=primary&readConcernLevel=majority&w=majority&journal=true&retryWrites=true';
    for (const option of [options, 'replicaSet=rs&tls=true&authSource=admin', 'maxPoolSize=10']) {
      const MONGODB_URL = `mongodb://one:27017,two:27017/letsapp?${option}`;
      expect(readConfig({ MONGODB_URL }).mongodbUrl).toBe(MONGODB_URL);
    }
  });

  it.each(['AUTH_JWKS_URL', 'AUTH_ISSUER', 'AUTH_AUDIENCE'])('refuses another issuer without %s', (missing) => {
    const env: Record<string, string> = {
      AUTH_JWKS_URL: 'https://login.example.org/jwks.json',
      AUTH_ISSUER: 'https://login.example.org/',
      AUTH_AUDIENCE: 'chat',
    };
    expect(readConfig(env).issuer).toEqual({
      jwksUrl: env.AUTH_JWKS_URL,
      issuer: env.AUTH_ISSUER,
      audience: env.AUTH_AUDIENCE,
    });
    delete env[missing];
    expect(() => readConfig(env)).toThrow(/^AUTH_JWKS_URL, AUTH_ISSUER and AUTH_AUDIENCE .*$/);
    expect(() => readConfig({ [missing]: 'https://login.example.org' })).toThrow(/^AUTH_JWKS_URL, AUTH_ISSUER and .*$/);
  });

  it('refuses another issuer that is called as the server itself, and an address of keys with a password', () => {
    const env = { AUTH_JWKS_URL: 'http://keys', AUTH_ISSUER: 'letsapp', AUTH_AUDIENCE: 'chat' };
    expect(() => readConfig(env)).toThrow(/^AUTH_ISSUER .*$/);
    expect(() => readConfig({ ...env, AUTH_ISSUER: 'other', AUTH_JWKS_URL: 'http://a:secret@keys' })).toThrow(
      /^AUTH_JWKS_URL (?!.*secret).*$/,
    );
  });

  it('takes one more key to verify by, or several as JSON', () => {
    const read = (JWT_ALSO_VERIFY: string) => readConfig({ JWT_ALSO_VERIFY }).jwtAlsoVerify;
    const secret = 'a secret, with a comma, of more than thirty-two bytes';
    const pem = '-----BEGIN PUBLIC KEY-----\nMCowBQ\n-----END PUBLIC KEY-----';
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
    expect(read(secret)).toEqual([secret]);
    expect(read(pem)).toEqual([pem]);
    expect(read(JSON.stringify(jwk))).toEqual([JSON.stringify(jwk)]);
    expect(read(JSON.stringify([secret, pem, jwk]))).toEqual([secret, pem, JSON.stringify(jwk)]);
  });

  it('refuses two signing keys, and none in production', () => {
    const both = { JWT_SECRET: 'x'.repeat(32), JWT_PRIVATE_KEY: 'a key' };
    expect(() => readConfig(both)).toThrow(/JWT_SECRET and JWT_PRIVATE_KEY/);
    expect(() => readConfig({ NODE_ENV: 'production' })).toThrow(/JWT_SECRET or JWT_PRIVATE_KEY/);
  });

  it('has the defaults of the contract', () => {
    expect(readConfig({})).toEqual({
      host: '127.0.0.1',
      port: 3000,
      mongodbUrl: undefined,
      databasePassword: undefined,
      redisUrls: [],
      dataDir: './data',
      jwtSecret: undefined,
      jwtPrivateKey: undefined,
      jwtAlsoVerify: [],
      accessTokenTtlS: 900,
      refreshTokenTtlS: 2_592_000,
      issuer: undefined,
      localAccounts: true,
      bcryptCost: 12,
      registrationOpen: true,
      corsOrigins: [],
      maxUploadBytes: 67_108_864,
      userQuotaBytes: 1_073_741_824,
      minFreeBytes: 268_435_456,
      mediaStorage: 'gridfs',
      groupMaxMembers: 1024,
      groupAdd: 'anyone',
      revisions: true,
      groupHistoryAll: false,
      groupCallMax: 8,
      callRingTimeoutMs: 45_000,
      callReconnectGraceMs: 15_000,
      presenceGraceMs: 5000,
      rateLimits: true,
      trustProxy: false,
      logLevel: 'info',
      production: false,
      smtpUrl: undefined,
      mailFrom: 'LetsApp <no-reply@localhost>',
      metricsToken: undefined,
      webhookAllowPrivate: false,
      webClient: true,
      publicUrl: undefined,
      iceServers: [],
      turnUrls: [],
      turnSecret: undefined,
      push: {
        allowPrivate: false,
        preview: false,
        vapidKeys: 'generated',
        vapidSubject: 'mailto:no-reply@localhost',
        fcm: undefined,
        apns: undefined,
      },
    });
  });

  it('treats an empty variable as unset', () => {
    expect(readConfig({ CORS_ORIGINS: '', MAX_UPLOAD_BYTES: '', SMTP_URL: ' ' })).toEqual(readConfig({}));
  });

  it('accepts access tokens of weeks, and the origins of apps that are built from pages', () => {
    const origins = ['https://app.example.org', 'http://localhost:5173', 'capacitor://localhost', 'app://chat'];
    const config = readConfig({ ACCESS_TOKEN_TTL_S: '2592000', CORS_ORIGINS: origins.join(', ') });
    expect([config.accessTokenTtlS, config.corsOrigins]).toEqual([2_592_000, origins]);
  });
});

describe('a secret', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'letsapp-config-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function fileWith(text: string): string {
    const file = path.join(folder, `secret-${Math.random()}`);
    writeFileSync(file, text);
    return file;
  }

  it.each(['', '\n', '\r\n'])('is read from a file that ends with %j', (end) => {
    const secret = 'a secret of more than thirty-two bytes';
    expect(readConfig({ JWT_SECRET_FILE: fileWith(secret + end) }).jwtSecret).toBe(secret);
  });

  it('of several lines is read as it is', () => {
    const pem = '-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----';
    expect(readConfig({ JWT_PRIVATE_KEY_FILE: fileWith(`${pem}\n`) }).jwtPrivateKey).toBe(pem);
  });

  it.each(SECRETS)('%s is refused twice, and where its file is not there or empty, without being told', (name) => {
    const hidden = fileWith('hunter2');
    const refusals = [
      messageOf(() => readConfig({ [name]: 'hunter2', [`${name}_FILE`]: hidden })),
      messageOf(() => readConfig({ [`${name}_FILE`]: path.join(folder, 'none') })),
      messageOf(() => readConfig({ [`${name}_FILE`]: fileWith('\n') })),
    ];
    expect(refusals).toEqual([
      expect.stringMatching(new RegExp(`^${name} and ${name}_FILE exclude each other: .*$`)),
      expect.stringMatching(new RegExp(`^${name}_FILE .*ENOENT.*; for example ${name}_FILE=/run/secrets/[a-z-]+$`)),
      expect.stringMatching(new RegExp(`^${name}_FILE .*empty.*; for example ${name}_FILE=/run/secrets/[a-z-]+$`)),
    ]);
    expect(refusals.join()).not.toContain('hunter2');
  });

  it('is checked as one of the environment is', () => {
    expect(() => readConfig({ JWT_SECRET_FILE: fileWith('short') })).toThrow(/^JWT_SECRET must have .*$/);
  });

  it('is unset where both variables are empty', () => {
    expect(readConfig({ JWT_SECRET: '', JWT_SECRET_FILE: ' ' }).jwtSecret).toBeUndefined();
  });
});

/** What a refusal says; undefined where nothing is refused. */
function messageOf(read: () => unknown): string | undefined {
  try {
    read();
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
}
