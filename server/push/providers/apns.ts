/**
 * The Apple Push Notification service by its HTTP/2 API:
 * https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
 */
import { SignJWT } from 'jose';
import type { ApnsConfig } from '../../config/push.ts';
import type { Payload } from '../payloads.ts';
import { createHttp2Pool, type Http2Answer, type Http2Pool } from './http2-pool.ts';
import { type Outcome, outcomeOf, type Provider, type Push, type Recipient, unanswered } from './provider.ts';

/** How long a provider token is used, in milliseconds: Apple asks for one between 20 and 60 minutes old. */
const TOKEN_MS = 45 * 60_000;
const GONE = ['BadDeviceToken', 'Unregistered'];

export interface ApnsOptions {
  config: ApnsConfig;
  pool?: Http2Pool;
}

export function createApns({ config, pool = createHttp2Pool(config.url) }: ApnsOptions): Provider {
  let known: { token: Promise<string>; until: number } | undefined;

  function currentToken(): Promise<string> {
    if (known && performance.now() < known.until) return known.token;
    const token = new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid: config.keyId })
      .setIssuer(config.teamId)
      .setIssuedAt()
      .sign(config.key);
    known = { token, until: performance.now() + TOKEN_MS };
    return token;
  }

  async function post(to: Recipient, push: Push): Promise<{ answer: Http2Answer; reason: string; token: string }> {
    const token = await currentToken();
    const { device, headers, body } = notificationOf(to, push, config.topic);
    const path = `/3/device/${device}`;
    const answer = await pool.post(
      { ':path': path, authorization: `bearer ${token}`, ...headers },
      JSON.stringify(body),
    );
    return { answer, reason: answer.status === 200 ? '' : reasonOf(answer.body), token };
  }

  async function drop(token: string): Promise<void> {
    if ((await known?.token) === token) known = undefined;
  }

  return {
    async send(to, push) {
      try {
        let { answer, reason, token } = await post(to, push);
        if (reason === 'ExpiredProviderToken') {
          await drop(token);
          ({ answer, reason, token } = await post(to, push));
        }
        return judge(answer, reason);
      } catch (error) {
        return unanswered(error);
      }
    },
    laneOf: () => 'apns',
    close: pool.close,
  };
}

function judge({ status, headers }: Http2Answer, reason: string): Outcome {
  if (GONE.includes(reason)) return { kind: 'gone', reason };
  // Even a new token was refused: this says nothing against the push.
  if (reason === 'ExpiredProviderToken') return { kind: 'retry', reason };
  return outcomeOf(status, headers['retry-after'] as string | undefined, reason);
}

function reasonOf(body: string): string {
  try {
    const { reason } = Object(JSON.parse(body));
    return typeof reason === 'string' ? reason.slice(0, 100) : '';
  } catch {
    return '';
  }
}

/** What is shown where the app does not write a text of its own (`mutable-content`): it names nobody. */
const TEXTS: Record<Exclude<Payload['type'], 'read'>, string> = {
  message: 'New message',
  call: 'Incoming call',
  call_over: 'The call is over',
  contact_request: 'New contact request',
};

function notificationOf(to: Recipient, { payload, collapse, ttlS }: Push, topic: string) {
  const expiration = String(Math.floor(Date.now() / 1000) + ttlS);
  const headers = { 'apns-topic': topic, 'apns-expiration': expiration, 'apns-collapse-id': collapse };
  if (payload.type === 'call' && to.voip_token !== undefined) {
    const voip = { 'apns-topic': `${topic}.voip`, 'apns-expiration': expiration };
    return {
      device: to.voip_token,
      headers: { ...voip, 'apns-push-type': 'voip', 'apns-priority': '10' },
      body: { aps: {}, ...payload },
    };
  }
  if (payload.type === 'read') {
    return {
      device: to.address,
      headers: { ...headers, 'apns-push-type': 'background', 'apns-priority': '5' },
      body: { aps: { 'content-available': 1 }, ...payload },
    };
  }
  const { type } = payload;
  const aps = {
    alert: { body: TEXTS[type] },
    'mutable-content': 1,
    ...(type === 'call_over' ? {} : { sound: 'default' }),
    ...('badge' in payload ? { badge: payload.badge } : {}),
  };
  return {
    device: to.address,
    headers: { ...headers, 'apns-push-type': 'alert', 'apns-priority': '10' },
    body: { aps, ...payload },
  };
}
