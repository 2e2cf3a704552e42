/** Access tokens for FCM, by OAuth 2.0 with a signed assertion (RFC 7523), as Google asks of service accounts. */
import { SignJWT } from 'jose';
import type { FcmConfig } from '../../config/push.ts';
import type { Outbound } from '../../lib/outbound/outbound.ts';

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** How long an assertion holds, in seconds: the most that Google takes. */
const ASSERTION_S = 3600;
/** How long before it expires a token is renewed, in milliseconds. */
const MARGIN_MS = 60_000;

export interface FcmTokens {
  /** @throws Error when the provider gives none; its message says why */
  current(): Promise<string>;
  /** A token was refused: another one is asked for. */
  drop(token: string): void;
}

export interface FcmTokenOptions {
  config: Pick<FcmConfig, 'clientEmail' | 'key' | 'tokenUrl'>;
  outbound: Pick<Outbound, 'post'>;
}

export function createFcmTokens({ config, outbound }: FcmTokenOptions): FcmTokens {
  let known: { token: string; until: number } | undefined;
  let asking: Promise<string> | undefined;

  async function ask(): Promise<string> {
    const assertion = await new SignJWT({ scope: SCOPE })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .setIssuer(config.clientEmail)
      .setAudience(config.tokenUrl)
      .setIssuedAt()
      .setExpirationTime(`${ASSERTION_S}s`)
      .sign(config.key);
    const answer = await outbound.post({
      url: config.tokenUrl,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: GRANT_TYPE, assertion }).toString(),
    });
    if (answer.status !== 200) throw new Error(`no access token: ${answer.status}`);
    const { access_token, expires_in } = Object(parse(await answer.body()));
    if (typeof access_token !== 'string') throw new Error('no access token in the answer');
    const lifetimeMs = typeof expires_in === 'number' ? expires_in * 1000 : ASSERTION_S * 1000;
    known = { token: access_token, until: performance.now() + lifetimeMs - MARGIN_MS };
    return access_token;
  }

  return {
    current() {
      if (known && performance.now() < known.until) return Promise.resolve(known.token);
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      return asking;
    },
    drop(token) {
      if (known?.token === token) known = undefined;
    },
  };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
