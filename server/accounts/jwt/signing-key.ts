/** The key that signs access tokens, from the configuration or generated; and those that only verify them. */
import { hkdfSync, type KeyObject } from 'node:crypto';
import type { CryptoKey, JWK } from 'jose';
import type { Config } from '../../config.ts';
import type { KeyRing } from '../../lib/key-ring.ts';
import { generatedSecret } from './generated-secret.ts';
import {
  parsePrivateKey,
  parseVerificationKey,
  privateKey,
  secretKey,
  type VerificationKey,
} from './verification-key.ts';

const DERIVED_KEY_BYTES = 32;

export interface SigningKey {
  alg: 'HS256' | 'EdDSA';
  sign: CryptoKey | KeyObject;
  /** Names the key in what it signs; undefined with symmetric signing. */
  kid: string | undefined;
  /** What tokens may be signed with: this key, then those of `JWT_ALSO_VERIFY`. */
  verification: readonly VerificationKey[];
  /** The public keys among them (RFC 7517). */
  publicJwks: readonly JWK[];
  /**
   * Derives symmetric keys of 32 bytes for another purpose (HKDF, RFC 5869), one of each key that is secret, in the same
   * order. Every node derives the same ones.
   */
  derive(purpose: string): KeyRing;
}

export type SigningKeyConfig = Pick<Config, 'jwtSecret' | 'jwtPrivateKey' | 'jwtAlsoVerify' | 'dataDir'>;

/**
 * Loads the key: `JWT_PRIVATE_KEY`, else `JWT_SECRET`, else the generated secret.
 * @throws ConfigError when a key is not what its setting must hold, or the generated secret cannot be used
 */
export async function loadSigningKey(config: SigningKeyConfig): Promise<SigningKey> {
  const { own, sign } = await loadOwn(config);
  const others = await Promise.all(config.jwtAlsoVerify.map((text) => parseVerificationKey('JWT_ALSO_VERIFY', text)));
  const verification = [own, ...others];
  const publicJwks = verification.flatMap(({ publicJwk }) => publicJwk ?? []);
  return {
    alg: own.alg,
    sign,
    kid: own.publicJwk?.kid,
    verification,
    publicJwks: publicJwks.filter(({ kid }, at) => publicJwks.findIndex((other) => other.kid === kid) === at),
    derive(purpose) {
      const [first, ...rest] = verification.flatMap(({ material }) => (material ? [derive(material, purpose)] : []));
      return [first!, ...rest];
    },
  };
}

async function loadOwn({ jwtPrivateKey, jwtSecret, dataDir }: SigningKeyConfig) {
  if (jwtPrivateKey !== undefined) {
    const sign = parsePrivateKey('JWT_PRIVATE_KEY', jwtPrivateKey);
    return { own: await privateKey(sign), sign };
  }
  const own = await secretKey(Buffer.from(jwtSecret ?? (await generatedSecret(dataDir))));
  return { own, sign: own.verify };
}

function derive(material: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', material, '', `letsapp ${purpose}`, DERIVED_KEY_BYTES));
}
