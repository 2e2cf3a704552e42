/** Web Push (RFC 8030): encrypted for the browser (RFC 8291), signed for the push service (VAPID, RFC 8292). */
import type { VapidKeys } from '../../config/push.ts';
import { createLru } from '../../lib/lru.ts';
import type { Outbound } from '../../lib/outbound/outbound.ts';
import { outcomeOf, type Provider, unanswered } from './provider.ts';

const ENCODING = 'aes128gcm';
/** A signature holds for 12 hours, and is used for a part of that: push services count the requests of new ones. */
const SIGNED_MS = 3_600_000;
/** For how many push services signatures are kept. */
const MOST_SIGNED = 1000;

export interface WebPushOptions {
  outbound: Pick<Outbound, 'post'>;
  keys: VapidKeys;
  /** `mailto:` or `https:`. */
  subject: string;
}

export function createWebPush({ outbound, keys, subject }: WebPushOptions): Provider {
  const signatures = createLru<string>('push signatures', MOST_SIGNED, { ttl: SIGNED_MS });
  /** Loaded when the first push is sent: most servers at rest have none. */
  let loading: Promise<typeof import('web-push')> | undefined;
  const load = () => {
    loading ??= import('web-push').then((loaded) => loaded.default);
    return loading;
  };

  return {
    async send({ address, keys: recipient }, { payload, collapse, ttlS, urgency }) {
      try {
        const webPush = await load();
        const { origin } = new URL(address);
        let signature = signatures.get(origin);
        if (signature === undefined) {
          const { publicKey, privateKey } = keys;
          signature = webPush.getVapidHeaders(origin, subject, publicKey, privateKey, ENCODING).Authorization;
          signatures.set(origin, signature);
        }
        const { p256dh, auth } = recipient!;
        const { cipherText } = webPush.encrypt(p256dh, auth, JSON.stringify(payload), ENCODING);
        const { status, headers } = await outbound.post({
          url: address,
          headers: {
            authorization: signature,
            ttl: String(ttlS),
            urgency,
            topic: collapse,
            'content-type': 'application/octet-stream',
            'content-encoding': ENCODING,
          },
          body: cipherText,
        });
        return outcomeOf(status, headers['retry-after']);
      } catch (error) {
        return unanswered(error);
      }
    },
    laneOf: ({ address }) => `webpush ${new URL(address).host}`,
    close: () => {},
  };
}
