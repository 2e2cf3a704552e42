/** Keys of every kind that push needs, made for the tests. */
import { createECDH, generateKeyPairSync } from 'node:crypto';

export function vapidKeys(): { publicKey: string; privateKey: string } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { d } = privateKey.export({ format: 'jwk' });
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(Buffer.from(d!, 'base64url'));
  return { publicKey: ecdh.getPublicKey('base64url'), privateKey: d! };
}

/** A key as Apple gives it: PKCS #8 in PEM. */
export function apnsKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trim();
}

/** Made once: finding the primes takes up to seconds of processor time. */
let rsaKey: string | undefined;

/** A service account as Google gives it. */
export function serviceAccount(over: Record<string, string> = {}) {
  rsaKey ??= generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
  return {
    type: 'service_account',
    project_id: 'letsapp-test',
    private_key: rsaKey,
    client_email: 'push@letsapp-test.iam.gserviceaccount.com',
    token_uri: 'https://oauth2.googleapis.com/token',
    ...over,
  };
}
