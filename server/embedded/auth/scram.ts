/*
 * The server's side of SCRAM-SHA-256: RFC 5802 with the hash of RFC 7677. No channel binding, and one password for
 * whatever name a client gives.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import { Fault } from '../values/fault.ts';

/** As many as MongoDB uses. */
const ITERATIONS = 15_000;
/** Bytes of the salt, and of the server's part of a nonce. */
const SALT_BYTES = 28;
const NONCE_BYTES = 24;
/** The header that says: no channel binding, no other identity. `biws` is its Base64. */
const HEADER = /^[ny],,/;
const AUTHENTICATION_FAILED = 18;

/** What a server keeps of a password. */
export interface Credentials {
  salt: Buffer;
  storedKey: Buffer;
  serverKey: Buffer;
}

/**
 * Derives the credentials, with a new salt.
 * @throws Error if SASLprep (RFC 4013) does not allow the password
 */
export async function deriveCredentials(password: string): Promise<Credentials> {
  // Its tables take 3 MB, which a database without a password does not need.
  const { saslprep } = await import('@mongodb-js/saslprep');
  const salt = randomBytes(SALT_BYTES);
  const salted = pbkdf2Sync(saslprep(password), salt, ITERATIONS, 32, 'sha256');
  return { salt, storedKey: sha256(hmac(salted, 'Client Key')), serverKey: hmac(salted, 'Server Key') };
}

/** An exchange that has begun. */
export interface Exchange {
  /** The server's first message. */
  challenge: string;
  /**
   * Takes the client's final message.
   * @returns the server's final message, if the client knows the password
   * @throws Fault AuthenticationFailed
   */
  finish(clientFinal: string): string;
}

/**
 * Begins an exchange with the client's first message.
 * @throws Fault AuthenticationFailed if it is not one
 */
export function beginExchange({ salt, storedKey, serverKey }: Credentials, clientFirst: string): Exchange {
  const [header] = HEADER.exec(clientFirst) ?? [];
  const bare = clientFirst.slice(header?.length);
  const clientNonce = /^n=[^,]*,r=([\x21-\x2b\x2d-\x7e]+)(,|$)/.exec(bare)?.[1];
  if (header === undefined || clientNonce === undefined) throw failed();
  const nonce = clientNonce + randomBytes(NONCE_BYTES).toString('base64');
  const challenge = `r=${nonce},s=${salt.toString('base64')},i=${ITERATIONS}`;
  return {
    challenge,
    finish(clientFinal) {
      const [, withoutProof, binding, answered, proof] = /^(c=([^,]*),r=([^,]*)),p=([^,]*)$/.exec(clientFinal) ?? [];
      if (withoutProof === undefined || answered !== nonce) throw failed();
      if (binding !== Buffer.from(header).toString('base64')) throw failed();
      const message = `${bare},${challenge},${withoutProof}`;
      const clientKey = xor(Buffer.from(proof!, 'base64'), hmac(storedKey, message));
      if (!timingSafeEqual(sha256(clientKey), storedKey)) throw failed();
      return `v=${hmac(serverKey, message).toString('base64')}`;
    },
  };
}

function failed(): Fault {
  return new Fault(AUTHENTICATION_FAILED, 'Authentication failed.');
}

function xor(bytes: Buffer, mask: Buffer): Buffer {
  return Buffer.from(mask.map((byte, at) => byte ^ (bytes[at] ?? 0)));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
