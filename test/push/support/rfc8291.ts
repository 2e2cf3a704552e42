/** What a browser does with a push: decrypts it by RFC 8291 and RFC 8188, and checks the signature of RFC 8292. */
import { createDecipheriv, createECDH, type ECDH, hkdfSync, randomBytes } from 'node:crypto';
import { importJWK, jwtVerify } from 'jose';

const SALT = 16;
const RECORD_SIZE = 4;

/** A browser that has subscribed. */
export interface Browser {
  subscription: { endpoint: string; keys: { p256dh: string; auth: string }; expirationTime: null };
  /** @throws Error where the body was not encrypted for it */
  decrypt(body: Buffer): unknown;
}

export function browser(endpoint: string): Browser {
  const ecdh = createECDH('prime256v1');
  ecdh.generateKeys();
  const auth = randomBytes(16);
  const keys = { p256dh: ecdh.getPublicKey('base64url'), auth: auth.toString('base64url') };
  return {
    subscription: { endpoint, keys, expirationTime: null },
    decrypt: (body) => JSON.parse(decrypt(body, ecdh, auth).toString()),
  };
}

function decrypt(body: Buffer, own: ECDH, auth: Buffer): Buffer {
  const salt = body.subarray(0, SALT);
  const recordSize = body.readUInt32BE(SALT);
  const idLength = body.readUInt8(SALT + RECORD_SIZE);
  const senderKey = body.subarray(SALT + RECORD_SIZE + 1, SALT + RECORD_SIZE + 1 + idLength);
  const record = body.subarray(SALT + RECORD_SIZE + 1 + idLength);
  if (record.length > recordSize) throw new Error('more than one record');
  const shared = own.computeSecret(senderKey);
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), own.getPublicKey(), senderKey]);
  const ikm = Buffer.from(hkdfSync('sha256', shared, auth, info, 32));
  const key = Buffer.from(hkdfSync('sha256', ikm, salt, 'Content-Encoding: aes128gcm\0', 16));
  const nonce = Buffer.from(hkdfSync('sha256', ikm, salt, 'Content-Encoding: nonce\0', 12));
  const decipher = createDecipheriv('aes-128-gcm', key, nonce);
  decipher.setAuthTag(record.subarray(-16));
  const padded = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
  // The last record ends with 2 and zeros.
  const end = padded.lastIndexOf(2);
  if (end < 0 || padded.subarray(end + 1).some((byte) => byte !== 0)) throw new Error('no delimiter');
  return padded.subarray(0, end);
}

/** Checks `Authorization: vapid t=…, k=…`. @returns the claims, and the key that signed them, raw in base64url */
export async function readVapid(authorization: string, audience: string) {
  const [, token, key] = /^vapid t=([\w.-]+), ?k=([\w-]+)$/.exec(authorization) ?? [];
  if (!token || !key) throw new Error(`not as RFC 8292 says: ${authorization}`);
  const point = Buffer.from(key, 'base64url');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  const publicKey = await importJWK({ kty: 'EC', crv: 'P-256', x: x!, y: y! }, 'ES256');
  const { payload } = await jwtVerify(token, publicKey, { algorithms: ['ES256'], audience });
  return { payload, key, token };
}
