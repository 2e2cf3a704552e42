/** Keys on the curve P-256, as Web Push carries them: raw, in base64url (RFC 8291, RFC 8292). */
import { createECDH } from 'node:crypto';

const CURVE = 'prime256v1';
const BASE64 = /^[\w+/-]+={0,2}$/;
const PRIVATE_BYTES = 32;

/** The bytes of base64 or base64url; undefined where it is neither, or holds another number of them. */
export function bytesOf(text: string, length: number): Buffer | undefined {
  if (!BASE64.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.length === length ? bytes : undefined;
}

/** The public key of a private one, as an uncompressed point; undefined where that is not a key of the curve. */
export function publicKeyOf(privateKey: string): string | undefined {
  const bytes = bytesOf(privateKey, PRIVATE_BYTES);
  if (!bytes) return undefined;
  const ecdh = createECDH(CURVE);
  try {
    ecdh.setPrivateKey(bytes);
  } catch {
    return undefined;
  }
  return ecdh.getPublicKey('base64url');
}

/** Whether bytes are a point on the curve, uncompressed. */
export function isPoint(bytes: Buffer): boolean {
  const ecdh = createECDH(CURVE);
  ecdh.generateKeys();
  try {
    ecdh.computeSecret(bytes);
    return true;
  } catch {
    return false;
  }
}

/** A new pair of keys. */
export function generateKeys(): { publicKey: string; privateKey: string } {
  const ecdh = createECDH(CURVE);
  ecdh.generateKeys();
  const bytes = ecdh.getPrivateKey();
  // The bytes alone may lack leading zeros.
  const privateKey = Buffer.concat([Buffer.alloc(PRIVATE_BYTES - bytes.length), bytes]).toString('base64url');
  return { publicKey: ecdh.getPublicKey('base64url'), privateKey };
}
