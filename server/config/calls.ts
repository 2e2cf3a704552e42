import { type Environment, readInteger, readList, readText } from '../lib/environment.ts';
import { ConfigError } from '../lib/errors.ts';

/** An `RTCIceServer`, as browsers take it. */
export interface IceServerConfig {
  urls: string | string[];
  username?: string;
  credential?: string;
}

const TEN_MINUTES_MS = 600_000;

/** The time limits of calls, and the STUN and TURN servers that clients are given. */
export function readCalls(env: Environment) {
  return {
    callRingTimeoutMs: readInteger(env, 'CALL_RING_TIMEOUT_MS', 45_000, 100, TEN_MINUTES_MS),
    callReconnectGraceMs: readInteger(env, 'CALL_RECONNECT_GRACE_MS', 15_000, 0, TEN_MINUTES_MS),
    iceServers: readIceServers(env),
    ...readTurn(env),
  };
}

function readTurn(env: Environment) {
  const turnUrls = readList(env, 'TURN_URLS');
  const turnSecret = readText(env, 'TURN_SECRET');
  for (const url of turnUrls) {
    if (!/^turns?:[^\s]+$/.test(url)) throw new ConfigError(`TURN_URLS must be turn: or turns: URLs, not "${url}"`);
  }
  if ((turnSecret === undefined) !== (turnUrls.length === 0)) {
    throw new ConfigError('TURN_URLS and TURN_SECRET need each other: set both or neither');
  }
  return { turnUrls, turnSecret };
}

function readIceServers(env: Environment): IceServerConfig[] {
  const text = readText(env, 'ICE_SERVERS');
  if (text === undefined) return [];
  let servers: unknown;
  try {
    servers = JSON.parse(text);
  } catch {
    throw new ConfigError('ICE_SERVERS must be JSON');
  }
  if (!Array.isArray(servers) || !servers.every(isIceServer)) {
    throw new ConfigError(
      'ICE_SERVERS must be an array of { urls, username?, credential? }, with stun(s): or turn(s): URLs',
    );
  }
  return servers;
}

function isIceServer(value: unknown): value is IceServerConfig {
  if (typeof value !== 'object' || value === null) return false;
  const { urls, username, credential } = value as Record<string, unknown>;
  const isText = (part: unknown) => typeof part === 'string' && part !== '';
  // With any other scheme, browsers refuse to start a call at all.
  const isUrl = (part: unknown) => typeof part === 'string' && /^(stun|turn)s?:\S+$/.test(part);
  const areUrls = isUrl(urls) || (Array.isArray(urls) && urls.length > 0 && urls.every(isUrl));
  return areUrls && [username, credential].every((part) => part === undefined || isText(part));
}
