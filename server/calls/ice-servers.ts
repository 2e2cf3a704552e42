import { createHmac } from 'node:crypto';
import type { IceServer } from '../../shared/contract/documents.ts';
import type { Config } from '../config.ts';

export type IceSettings = Pick<Config, 'iceServers' | 'turnUrls' | 'turnSecret'>;

/** How long TURN credentials are good for, in seconds (PROTOCOL section 8). */
const TURN_TTL_S = 3600;

/**
 * The ICE servers for one user: the static ones, and TURN servers with credentials of the TURN REST API
 * (draft-uberti-behave-turn-rest-00, what coturn calls `use-auth-secret`).
 * @param config where `ICE_SERVERS`, `TURN_URLS` and `TURN_SECRET` are read
 * @param userId goes into the username, after the Unix time when the credentials expire
 */
export function iceServersFor(
  { iceServers, turnUrls, turnSecret }: IceSettings,
  userId: string,
  now: Date,
): IceServer[] {
  if (turnSecret === undefined) return iceServers;
  const username = `${Math.floor(now.getTime() / 1000) + TURN_TTL_S}:${userId}`;
  const credential = createHmac('sha1', turnSecret).update(username).digest('base64');
  return [...iceServers, { urls: turnUrls, username, credential }];
}
