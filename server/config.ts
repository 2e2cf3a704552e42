/** Environment variables → configuration, checked once at start (PROTOCOL section 10). */
import { readAdminUi } from './config/admin-ui.ts';
import { type IceServerConfig, readCalls } from './config/calls.ts';
import { type IssuerConfig, readIssuer } from './config/issuer.ts';
import { readNetwork } from './config/network.ts';
import { type PushConfig, readPush } from './config/push.ts';
import { withSecretFiles } from './config/secret-files.ts';
import { readStores } from './config/stores.ts';
import { readTokens } from './config/tokens.ts';
import { readTraces, type TracesConfig } from './config/traces.ts';
import { type Environment, readInteger, readOneOf, readSwitch, readText, readUrl } from './lib/environment.ts';

/** Optional settings are undefined, or empty lists, when they are not set. */
export interface Config {
  host: string;
  port: number;
  mongodbUrl: string | undefined;
  /** What tools authenticate with at `npm run database`. */
  databasePassword: string | undefined;
  redisUrls: string[];
  dataDir: string;
  jwtSecret: string | undefined;
  jwtPrivateKey: string | undefined;
  /** Secrets and keys, as text, whose tokens are accepted too. */
  jwtAlsoVerify: string[];
  accessTokenTtlS: number;
  refreshTokenTtlS: number;
  /** The other issuer whose tokens are accepted. */
  issuer: IssuerConfig | undefined;
  /** Whether users register and sign in here, by passwords. */
  localAccounts: boolean;
  bcryptCost: number;
  /** Whether anyone may register. */
  registrationOpen: boolean;
  corsOrigins: string[];
  maxUploadBytes: number;
  /** What a user's uploads may hold together, in bytes; 0: no quota. */
  userQuotaBytes: number;
  /** Uploads are refused while less than this is free on the disk of `dataDir`, in bytes. */
  minFreeBytes: number;
  mediaStorage: 'gridfs' | 'disk';
  groupMaxMembers: number;
  /** Whether to keep what edited messages said before. */
  revisions: boolean;
  /** Who can be put into a group: anyone, or only accepted contacts of the one who acts. */
  groupAdd: 'anyone' | 'contacts';
  /** Whether members see a group's messages from before they joined. */
  groupHistoryAll: boolean;
  groupCallMax: number;
  callRingTimeoutMs: number;
  callReconnectGraceMs: number;
  presenceGraceMs: number;
  rateLimits: boolean;
  /** Whether a proxy in front is believed about addresses and hosts. */
  trustProxy: boolean;
  logLevel: string;
  production: boolean;
  smtpUrl: string | undefined;
  mailFrom: string;
  /** The bearer token that `/metrics` asks for. */
  metricsToken: string | undefined;
  /** A server key that needs no store. */
  apiKey: string | undefined;
  /** Whether webhooks may lead to `http:` and addresses that are not globally reachable. */
  webhookAllowPrivate: boolean;
  /** Whether the web client is served at `/`. */
  webClient: boolean;
  /** Without a trailing slash. */
  publicUrl: string | undefined;
  iceServers: IceServerConfig[];
  turnUrls: string[];
  turnSecret: string | undefined;
  push: PushConfig;
  traces: TracesConfig | undefined;
  /** Socket.IO's Admin UI, where it is switched on. */
  adminUi: { password: string } | undefined;
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
const TEN_MINUTES_MS = 600_000;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/**
 * @param given usually `process.env`
 * @throws ConfigError naming the first variable that is wrong, why, and what would be right
 */
export function readConfig(given: Environment): Config {
  const env = withSecretFiles(given);
  const production = readOneOf(env, 'NODE_ENV', ['development', 'production', 'test'], 'development') === 'production';
  return {
    production,
    logLevel: readOneOf(env, 'LOG_LEVEL', LOG_LEVELS, 'info'),
    ...readNetwork(env),
    ...readStores(env),
    ...readTokens(env, production),
    ...readIssuer(env),
    bcryptCost: readInteger(env, 'BCRYPT_COST', 12, 4, 15),
    registrationOpen: readOneOf(env, 'REGISTRATION', ['open', 'closed'], 'open') === 'open',
    ...readMail(env),
    webhookAllowPrivate: readSwitch(env, 'WEBHOOK_ALLOW_PRIVATE', 'off'),
    ...readLimits(env),
    groupAdd: readOneOf(env, 'GROUP_ADD', ['anyone', 'contacts'], 'anyone'),
    revisions: readSwitch(env, 'REVISIONS', 'on'),
    groupHistoryAll: readOneOf(env, 'GROUP_HISTORY', ['joined', 'all'], 'joined') === 'all',
    presenceGraceMs: readInteger(env, 'PRESENCE_GRACE_MS', 5000, 0, TEN_MINUTES_MS),
    ...readCalls(env),
    ...readPush(env, production),
    ...readTraces(env),
    ...readAdminUi(env),
  };
}

function readMail(env: Environment) {
  return {
    smtpUrl: readUrl(env, 'SMTP_URL', ['smtp:', 'smtps:']),
    mailFrom: readText(env, 'MAIL_FROM') ?? 'LetsApp <no-reply@localhost>',
  };
}

function readLimits(env: Environment) {
  return {
    rateLimits: readSwitch(env, 'RATE_LIMITS', 'on'),
    maxUploadBytes: readInteger(env, 'MAX_UPLOAD_BYTES', 67_108_864, 1, 10 * GIB),
    userQuotaBytes: readInteger(env, 'USER_QUOTA_BYTES', GIB, 0, Number.MAX_SAFE_INTEGER),
    minFreeBytes: readInteger(env, 'MIN_FREE_BYTES', 256 * MIB, 0, Number.MAX_SAFE_INTEGER),
    groupMaxMembers: readInteger(env, 'GROUP_MAX_MEMBERS', 1024, 2, 8192),
    groupCallMax: readInteger(env, 'GROUP_CALL_MAX', 8, 2, 64),
  };
}
