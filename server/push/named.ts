/** What a device names as its subscription: checked as far as a provider would refuse it. */
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { ApnsSubscription, FcmSubscription, WebPushSubscription } from '../../shared/contract/push.ts';
import { invalid } from '../lib/errors.ts';
import { bytesOf, isPoint } from '../lib/p256.ts';
import type { Named } from './subscription-store.ts';

/** Of the keys of a browser (RFC 8291). */
const PUBLIC_KEY_BYTES = 65;
const AUTH_BYTES = 16;

/** @returns why an endpoint may not be asked, to follow its name; undefined where it may */
export type CheckEndpoint = (endpoint: string) => Promise<string | undefined>;

/** @throws ContractError `validation_failed` for an endpoint that may not be asked, and for keys that are none */
export async function namedBy(
  { provider, subscription }: CommandPayload<'push:subscribe'>,
  checkEndpoint: CheckEndpoint,
): Promise<Named> {
  if (provider === 'fcm') return { provider, address: (subscription as FcmSubscription).token };
  if (provider === 'webpush') return webPush(subscription as WebPushSubscription, checkEndpoint);
  const { token, voip_token } = subscription as ApnsSubscription;
  return {
    provider,
    address: token.toLowerCase(),
    ...(voip_token === undefined ? {} : { voip_token: voip_token.toLowerCase() }),
  };
}

async function webPush({ endpoint, keys }: WebPushSubscription, checkEndpoint: CheckEndpoint): Promise<Named> {
  const publicKey = bytesOf(keys.p256dh, PUBLIC_KEY_BYTES);
  if (!publicKey || !isPoint(publicKey)) {
    throw invalid('subscription.keys.p256dh', 'must be a point of P-256, uncompressed, in base64url');
  }
  const auth = bytesOf(keys.auth, AUTH_BYTES);
  if (!auth) throw invalid('subscription.keys.auth', `must be ${AUTH_BYTES} bytes in base64url`);
  const wrong = await checkEndpoint(endpoint);
  if (wrong !== undefined) throw invalid('subscription.endpoint', wrong);
  return {
    provider: 'webpush',
    address: endpoint,
    keys: { p256dh: publicKey.toString('base64url'), auth: auth.toString('base64url') },
  };
}
