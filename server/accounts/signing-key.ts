/** The key that access tokens are signed with: from the configuration, or generated once and kept. */
import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { type CryptoKey, calculateJwkThumbprint, type JWK } from 'jose';
import type { Config } from '../config.ts';
import { ConfigError } from '../lib/errors.ts';

/** What a generated secret is called in the data folder. */
const SECRET_FILE = 'jwt-secret';
const SECRET_BYTES = 32;

export interface SigningKey {
  alg: 'HS256' | 'EdDSA';
  sign: CryptoKey | KeyObject;
  verify: CryptoKey | KeyObject;
  /** With asymmetric signing only, with its `kid` (RFC 7638 thumbprint). */
  publicJwk: (JWK & { kid: string }) | undefined;
  /** A symmetric key for another purpose, the same on every node that has this key (HKDF, RFC 5869). */
  derive(purpose: string): Buffer;
}

export type SigningKeyConfig = Pick<Config, 'jwtSecret' | 'jwtPrivateKey' | 'dataDir'>;

/**
 * @throws ConfigError when `JWT_PRIVATE_KEY` is not an Ed25519 private key, or a kept secret cannot be used
 */
export async function loadSigningKey(config: SigningKeyConfig): Promise<SigningKey> {
  if (config.jwtPrivateKey !== undefined) return asymmetric(parsePrivateKey(config.jwtPrivateKey));
  return symmetric(Buffer.from(config.jwtSecret ?? (await keptSecret(config.dataDir))));
}

async function symmetric(secret: Buffer): Promise<SigningKey> {
  // Imported once: jose would import a raw secret again for each token.
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ]);
  return { alg: 'HS256', sign: key, verify: key, publicJwk: undefined, derive: deriveFrom(secret) };
}

async function asymmetric(privateKey: KeyObject): Promise<SigningKey> {
  const publicKey = createPublicKey(privateKey);
  const { kty, crv, x } = publicKey.export({ format: 'jwk' });
  const jwk = { kty: kty!, crv: crv!, x: x! };
  const kid = await calculateJwkThumbprint(jwk);
  return {
    alg: 'EdDSA',
    sign: privateKey,
    verify: publicKey,
    publicJwk: { ...jwk, kid, alg: 'EdDSA', use: 'sig' },
    derive: deriveFrom(Buffer.from(privateKey.export({ format: 'jwk' }).d!, 'base64url')),
  };
}

function deriveFrom(secret: Buffer): SigningKey['derive'] {
  return (purpose) => Buffer.from(hkdfSync('sha256', secret, '', `letsapp ${purpose}`, 32));
}

function parsePrivateKey(text: string): KeyObject {
  let key: KeyObject;
  try {
    key = text.trimStart().startsWith('{')
      ? createPrivateKey({ key: JSON.parse(text), format: 'jwk' })
      : // Environment files cannot hold line breaks: they come written as \n.
        createPrivateKey(text.replaceAll('\\n', '\n'));
  } catch {
    // Why is not told: the message might quote the key.
    throw new ConfigError('JWT_PRIVATE_KEY must be an Ed25519 private key as PEM (PKCS #8) or JWK');
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new ConfigError(`JWT_PRIVATE_KEY must be an Ed25519 key, not ${key.asymmetricKeyType}`);
  }
  return key;
}

/** The secret in the data folder; made when there is none. Of two that start at once, both get the first one's. */
async function keptSecret(dataDir: string): Promise<string> {
  const file = path.join(dataDir, SECRET_FILE);
  try {
    const kept = await readIfThere(file);
    if (kept !== undefined) return kept;
    await mkdir(dataDir, { recursive: true });
    const draft = `${file}.${randomBytes(6).toString('hex')}`;
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(randomBytes(SECRET_BYTES).toString('base64url'));
      await handle.sync();
    } finally {
      await handle.close();
    }
    // A link appears whole or not at all, and never replaces what is there.
    await link(draft, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    await rm(draft);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ConfigError(`DATA_DIR cannot keep the generated JWT secret (${code ?? message}): set JWT_SECRET`);
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  let kept: string;
  try {
    kept = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (Buffer.byteLength(kept) < SECRET_BYTES) {
    throw new ConfigError(`${file} must hold a secret of at least ${SECRET_BYTES} bytes: remove it, or set JWT_SECRET`);
  }
  return kept;
}
