import { type Environment, readInteger, readList, readText, wrongSetting } from '../lib/environment.ts';
import { ConfigError } from '../lib/errors.ts';

/** An `RTCIceServer`, as browsers take it. */
export interface IceServerConfig {
  urls: string | string[];
  username?: string;
  credential?: string;
}

const TEN_MINUTES_MS = 600_000;
const ICE_EXAMPLE = '[{"urls":"stun:stun.example.org"}]';

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
    if (!/^turns?:[^\s]+$/.test(url)) {
      throw wrongSetting('TURN_URLS', `must be turn: or turns: URLs, not "${url}"`, 'turn:turn.example.org:3478');
    }
  }
  if ((turnSecret === undefined) !== (turnUrls.length === 0)) {
    throw new ConfigError(
      'TURN_URLS and TURN_SECRET need each other: set both or neither; for example TURN_URLS=turn:turn.example.org:3478',
    );
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
    throw wrongSetting('ICE_SERVERS', 'must be JSON', ICE_EXAMPLE);
  }
  if (!Array.isArray(servers) || !servers.every(isIceServer)) {
    const problem = 'must be an array of { urls, username?, credential? }, with stun(s): or turn(s): URLs';
    throw wrongSetting('ICE_SERVERS', problem, ICE_EXAMPLE);
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
