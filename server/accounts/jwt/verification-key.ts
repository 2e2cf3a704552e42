/** What access tokens are verified by: a secret (HS256) or an Ed25519 key (EdDSA), from the text of a setting. */
import { createPrivateKey, createPublicKey, type JsonWebKeyInput, type KeyObject } from 'node:crypto';
import { type CryptoKey, calculateJwkThumbprint, type JWK } from 'jose';
import { ConfigError } from '../../lib/errors.ts';

export interface VerificationKey {
  alg: 'HS256' | 'EdDSA';
  verify: CryptoKey | KeyObject;
  /** The public key with its `kid` (RFC 7638 thumbprint); undefined for a secret. */
  publicJwk: (JWK & { kid: string }) | undefined;
  /** What keys for other purposes are derived from; undefined for a public key, which is no secret. */
  material: Buffer | undefined;
}

/** @param secret of at least 32 bytes */
export async function secretKey(secret: Buffer): Promise<VerificationKey & { verify: CryptoKey }> {
  // Imported once: jose would import a raw secret again for each token.
  const verify = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ]);
  return { alg: 'HS256', verify, publicJwk: undefined, material: secret };
}

export async function privateKey(key: KeyObject): Promise<VerificationKey> {
  const material = Buffer.from(key.export({ format: 'jwk' }).d!, 'base64url');
  return { ...(await publicKey(createPublicKey(key))), material };
}

async function publicKey(key: KeyObject): Promise<VerificationKey> {
  const { kty, crv, x } = key.export({ format: 'jwk' });
  const jwk = { kty: kty!, crv: crv!, x: x! };
  const publicJwk = { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'EdDSA', use: 'sig' };
  return { alg: 'EdDSA', verify: key, publicJwk, material: undefined };
}

/**
 * Reads an Ed25519 private key.
 * @param name the setting, for the refusal
 * @param text PEM (PKCS #8) or JWK
 * @throws ConfigError without any part of the text
 */
export function parsePrivateKey(name: string, text: string): KeyObject {
  return ofEd25519(
    name,
    () => read(text, createPrivateKey),
    'must be an Ed25519 private key in PEM (PKCS #8) or JWK form',
  );
}

/**
 * Reads a key of `JWT_ALSO_VERIFY`. What has the form of a key is never taken for a secret.
 * @param text a secret; or an Ed25519 key, private or public, in PEM or JWK form
 * @throws ConfigError without any part of the text
 */
export async function parseVerificationKey(name: string, text: string): Promise<VerificationKey> {
  if (!/^(\{|-----BEGIN)/.test(text)) return secretKey(Buffer.from(text));
  const isPrivate = /^\{.*"d"|^-----BEGIN PRIVATE/s.test(text);
  const parse = isPrivate ? createPrivateKey : createPublicKey;
  const key = ofEd25519(name, () => read(text, parse), 'must hold secrets and Ed25519 keys in PEM or JWK form');
  return isPrivate ? privateKey(key) : publicKey(key);
}

function read(text: string, parse: (key: JsonWebKeyInput | string) => KeyObject): KeyObject {
  return text.startsWith('{')
    ? parse({ key: JSON.parse(text), format: 'jwk' })
    : // Environment files cannot hold line breaks, so PEM arrives with a written \n for each.
      parse(text.replaceAll('\\n', '\n'));
}

function ofEd25519(name: string, parse: () => KeyObject, otherwise: string): KeyObject {
  let key: KeyObject;
  try {
    key = parse();
  } catch {
    // The cause is left out: it might quote the key.
    throw new ConfigError(`${name} ${otherwise}; openssl genpkey -algorithm ed25519 makes one`);
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new ConfigError(`${name} must be an Ed25519 key, not ${key.asymmetricKeyType}`);
  }
  return key;
}
