/** Environment variables → configuration, checked once at start (PROTOCOL section 10). */

/** A variable that is not as it must be: its message is the one line that ends the start. */
export class ConfigError extends Error {}

export interface Config {
  host: string;
  port: number;
  mongodbUrl: string | undefined;
  redisUrls: string[];
  dataDir: string;
  jwtSecret: string | undefined;
  jwtPrivateKey: string | undefined;
  accessTokenTtlS: number;
  refreshTokenTtlS: number;
  bcryptCost: number;
  corsOrigins: string[];
  maxUploadBytes: number;
  mediaStorage: 'gridfs' | 'disk';
  groupMaxMembers: number;
  groupHistoryAll: boolean;
  groupCallMax: number;
  callRingTimeoutMs: number;
  callReconnectGraceMs: number;
  presenceGraceMs: number;
  rateLimits: boolean;
  trustProxy: boolean;
  logLevel: string;
  production: boolean;
  smtpUrl: string | undefined;
  mailFrom: string;
  publicUrl: string | undefined;
  iceServers: IceServerConfig[];
  turnUrls: string[];
  turnSecret: string | undefined;
}

export interface IceServerConfig {
  urls: string | string[];
  username?: string;
  credential?: string;
}

type Env = Record<string, string | undefined>;

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/**
 * @param env usually `process.env`; an empty variable counts as unset
 * @throws ConfigError naming the first variable that is wrong, and why
 */
export function readConfig(env: Env): Config {
  const text = (name: string) => env[name]?.trim() || undefined;
  const integer = (name: string, fallback: number, min: number, max: number) => {
    const raw = text(name);
    if (raw === undefined) return fallback;
    const value = Number(raw);
    if (!/^\d+$/.test(raw) || value < min || value > max) {
      throw new ConfigError(`${name} must be a whole number from ${min} to ${max}, not "${raw}"`);
    }
    return value;
  };
  const oneOf = <const V extends string>(name: string, values: readonly V[], fallback: V): V => {
    const raw = text(name) ?? fallback;
    const found = values.find((value) => value === raw);
    if (found === undefined) throw new ConfigError(`${name} must be one of ${values.join(', ')}, not "${raw}"`);
    return found;
  };
  const url = (name: string, raw: string, protocols: string[]) => {
    const parsed = URL.canParse(raw) ? new URL(raw) : undefined;
    if (!parsed?.hostname || !protocols.includes(parsed.protocol)) {
      // The value is not shown: it may hold a password.
      throw new ConfigError(
        `${name} must be the URL of a host, beginning with ${protocols.map((p) => `${p}//`).join(' or ')}`,
      );
    }
    return raw;
  };
  const list = (name: string) =>
    (text(name) ?? '')
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean);

  const production = oneOf('NODE_ENV', ['development', 'production', 'test'], 'development') === 'production';
  const mongodbUrl = text('MONGODB_URL');
  if (mongodbUrl !== undefined && !/^mongodb(\+srv)?:\/\/.+/.test(mongodbUrl)) {
    throw new ConfigError('MONGODB_URL must be a URL beginning with mongodb:// or mongodb+srv://');
  }
  const jwtSecret = text('JWT_SECRET');
  const jwtPrivateKey = text('JWT_PRIVATE_KEY');
  if (jwtSecret !== undefined && jwtPrivateKey !== undefined) {
    throw new ConfigError('JWT_SECRET and JWT_PRIVATE_KEY exclude each other: set one');
  }
  if (jwtSecret !== undefined && Buffer.byteLength(jwtSecret) < 32) {
    throw new ConfigError('JWT_SECRET must have at least 32 bytes');
  }
  if (production && jwtSecret === undefined && jwtPrivateKey === undefined) {
    throw new ConfigError('JWT_SECRET or JWT_PRIVATE_KEY must be set when NODE_ENV is production');
  }
  const turnSecret = text('TURN_SECRET');
  const turnUrls = list('TURN_URLS');
  for (const turnUrl of turnUrls) {
    if (!/^turns?:[^\s]+$/.test(turnUrl))
      throw new ConfigError(`TURN_URLS must be turn: or turns: URLs, not "${turnUrl}"`);
  }
  if ((turnSecret === undefined) !== (turnUrls.length === 0)) {
    throw new ConfigError('TURN_URLS and TURN_SECRET belong together: set both or none');
  }
  const smtpUrl = text('SMTP_URL');
  const publicUrl = text('PUBLIC_URL');
  if (publicUrl !== undefined && /[?#]/.test(publicUrl)) {
    throw new ConfigError('PUBLIC_URL must have neither a query nor a fragment: paths are appended to it');
  }
  const logLevel = oneOf('LOG_LEVEL', LOG_LEVELS, 'info');

  return {
    host: text('HOST') ?? '127.0.0.1',
    port: integer('PORT', 3000, 0, 65_535),
    mongodbUrl,
    redisUrls: list('REDIS_URL').map((part) => url('REDIS_URL', part, ['redis:', 'rediss:'])),
    dataDir: text('DATA_DIR') ?? './data',
    jwtSecret,
    jwtPrivateKey,
    accessTokenTtlS: integer('ACCESS_TOKEN_TTL_S', 900, 1, 31_536_000),
    refreshTokenTtlS: integer('REFRESH_TOKEN_TTL_S', 2_592_000, 1, 31_536_000),
    bcryptCost: integer('BCRYPT_COST', 12, 4, 15),
    corsOrigins: list('CORS_ORIGINS').map((part) => {
      if (!isOrigin(part)) {
        throw new ConfigError(`CORS_ORIGINS must be origins such as https://app.example.org, not "${part}"`);
      }
      return part;
    }),
    maxUploadBytes: integer('MAX_UPLOAD_BYTES', 67_108_864, 1, 10 * 1024 ** 3),
    mediaStorage: oneOf('MEDIA_STORAGE', ['gridfs', 'disk'], 'gridfs'),
    groupMaxMembers: integer('GROUP_MAX_MEMBERS', 1024, 2, 8192),
    groupHistoryAll: oneOf('GROUP_HISTORY', ['joined', 'all'], 'joined') === 'all',
    groupCallMax: integer('GROUP_CALL_MAX', 8, 2, 64),
    callRingTimeoutMs: integer('CALL_RING_TIMEOUT_MS', 45_000, 100, 600_000),
    callReconnectGraceMs: integer('CALL_RECONNECT_GRACE_MS', 15_000, 0, 600_000),
    presenceGraceMs: integer('PRESENCE_GRACE_MS', 5000, 0, 600_000),
    rateLimits: oneOf('RATE_LIMITS', ['on', 'off'], 'on') === 'on',
    trustProxy: oneOf('TRUST_PROXY', ['on', 'off'], 'off') === 'on',
    logLevel,
    production,
    smtpUrl: smtpUrl && url('SMTP_URL', smtpUrl, ['smtp:', 'smtps:']),
    mailFrom: text('MAIL_FROM') ?? 'LetsApp <no-reply@localhost>',
    publicUrl: publicUrl && url('PUBLIC_URL', publicUrl, ['http:', 'https:']).replace(/\/+$/, ''),
    iceServers: readIceServers(text('ICE_SERVERS')),
    turnUrls,
    turnSecret,
  };
}

/** As browsers write it: the origins of the web, and those of apps that are built of pages (`capacitor://localhost`). */
function isOrigin(text: string): boolean {
  if (/^https?:/.test(text)) return URL.canParse(text) && new URL(text).origin === text;
  return /^[a-z][a-z\d+.-]*:\/\/[\w.-]+(:\d+)?$/.test(text);
}

function readIceServers(raw: string | undefined): IceServerConfig[] {
  if (raw === undefined) return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(raw);
  } catch {
    throw new ConfigError('ICE_SERVERS must be JSON');
  }
  if (!Array.isArray(parsed) || !parsed.every(isIceServer)) {
    throw new ConfigError(
      'ICE_SERVERS must be an array of { urls, username?, credential? }, urls of stun(s): or turn(s):',
    );
  }
  return parsed;
}

function isIceServer(value: unknown): value is IceServerConfig {
  if (typeof value !== 'object' || value === null) return false;
  const { urls, username, credential } = value as Record<string, unknown>;
  const isText = (part: unknown) => typeof part === 'string' && part !== '';
  // A browser refuses to call at all with an address of another scheme.
  const isAddress = (part: unknown) => typeof part === 'string' && /^(stun|turn)s?:\S+$/.test(part);
  const urlsAreRight = isAddress(urls) || (Array.isArray(urls) && urls.length > 0 && urls.every(isAddress));
  return urlsAreRight && [username, credential].every((part) => part === undefined || isText(part));
}
