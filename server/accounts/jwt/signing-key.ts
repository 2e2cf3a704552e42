/** The key that signs access tokens, from the configuration or generated. */
import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto';
import { type CryptoKey, calculateJwkThumbprint, type JWK } from 'jose';
import type { Config } from '../../config.ts';
import { ConfigError } from '../../lib/errors.ts';
import { generatedSecret } from './generated-secret.ts';

const DERIVED_KEY_BYTES = 32;

export interface SigningKey {
  alg: 'HS256' | 'EdDSA';
  sign: CryptoKey | KeyObject;
  verify: CryptoKey | KeyObject;
  /** The public key with its `kid` (RFC 7638 thumbprint); undefined with symmetric signing. */
  publicJwk: (JWK & { kid: string }) | undefined;
  /** Derives a symmetric key of 32 bytes for another purpose (HKDF, RFC 5869). Every node derives the same one. */
  derive(purpose: string): Buffer;
}

export type SigningKeyConfig = Pick<Config, 'jwtSecret' | 'jwtPrivateKey' | 'dataDir'>;

/**
 * Loads the key: `JWT_PRIVATE_KEY`, else `JWT_SECRET`, else the generated secret.
 * @throws ConfigError when `JWT_PRIVATE_KEY` is not an Ed25519 private key or the generated secret cannot be used
 */
export async function loadSigningKey(config: SigningKeyConfig): Promise<SigningKey> {
  if (config.jwtPrivateKey !== undefined) return asymmetricKey(parsePrivateKey(config.jwtPrivateKey));
  return symmetricKey(Buffer.from(config.jwtSecret ?? (await generatedSecret(config.dataDir))));
}

async function symmetricKey(secret: Buffer): Promise<SigningKey> {
  // Imported once: jose would import a raw secret again for each token.
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ]);
  return { alg: 'HS256', sign: key, verify: key, publicJwk: undefined, derive: derivation(secret) };
}

async function asymmetricKey(privateKey: KeyObject): Promise<SigningKey> {
  const publicKey = createPublicKey(privateKey);
  const { kty, crv, x } = publicKey.export({ format: 'jwk' });
  const jwk = { kty: kty!, crv: crv!, x: x! };
  return {
    alg: 'EdDSA',
    sign: privateKey,
    verify: publicKey,
    publicJwk: { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'EdDSA', use: 'sig' },
    derive: derivation(Buffer.from(privateKey.export({ format: 'jwk' }).d!, 'base64url')),
  };
}

function derivation(secret: Buffer): SigningKey['derive'] {
  return (purpose) => Buffer.from(hkdfSync('sha256', secret, '', `letsapp ${purpose}`, DERIVED_KEY_BYTES));
}

function parsePrivateKey(text: string): KeyObject {
  let key: KeyObject;
  try {
    key = text.trimStart().startsWith('{')
      ? createPrivateKey({ key: JSON.parse(text), format: 'jwk' })
      : // Environment files cannot hold line breaks, so PEM arrives with a written \n for each.
        createPrivateKey(text.replaceAll('\\n', '\n'));
  } catch {
    // The cause is left out: it might quote the key.
    throw new ConfigError('JWT_PRIVATE_KEY must be an Ed25519 private key in PEM (PKCS #8) or JWK form');
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new ConfigError(`JWT_PRIVATE_KEY must be an Ed25519 key, not ${key.asymmetricKeyType}`);
  }
  return key;
}
