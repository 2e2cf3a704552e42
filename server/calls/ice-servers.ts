import { createHmac } from 'node:crypto';
import type { IceServer } from '../../shared/contract/documents.ts';

/** From `ICE_SERVERS`, `TURN_URLS` and `TURN_SECRET`. */
export interface IceSettings {
  iceServers: IceServer[];
  turnUrls: string[];
  turnSecret: string | undefined;
}

/** How long TURN credentials are valid, in seconds (protocol, section 8). */
const TURN_TTL_S = 3600;

/**
 * The ICE servers for one user: the static ones and, with a TURN secret, TURN servers with credentials of the TURN REST
 * API (draft-uberti-behave-turn-rest-00; coturn's `use-auth-secret`).
 * @param userId goes into the username, behind the Unix time at which the credentials expire
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
