/**
 * Secrets of webhooks and what they sign, as https://www.standardwebhooks.com says. A secret must be there to sign with, so
 * a hash will not do: it is stored encrypted (AES-256-GCM) under a key derived from the signing key of access tokens, which
 * is not in the database. Whoever has only the database, or a backup of it, can sign nothing.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { KeyRing } from '../lib/key-ring.ts';

const PREFIX = 'whsec_';
const SECRET_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

export interface WebhookSecrets {
  /** A new secret: `shown` for its owner, once, and `sealed` for the store. */
  make(): { shown: string; sealed: string };
  /** @returns the key to sign with. @throws Error where it was sealed under another key */
  open(sealed: string): Buffer;
  /** @returns the secret sealed under the first key; undefined where it is already, or cannot be opened */
  reseal(sealed: string): string | undefined;
}

export function createWebhookSecrets(keys: KeyRing): WebhookSecrets {
  /** @returns the secret, and which key it was under; undefined where it was under none of them */
  function tryOpen(sealed: string): { secret: Buffer; at: number } | undefined {
    for (const [at, key] of keys.entries()) {
      try {
        return { secret: open(key, sealed), at };
      } catch {
        // It is under another key.
      }
    }
    return undefined;
  }

  return {
    make() {
      const secret = randomBytes(SECRET_BYTES);
      return { shown: `${PREFIX}${secret.toString('base64')}`, sealed: seal(keys[0], secret) };
    },
    open(sealed) {
      const opened = tryOpen(sealed);
      if (!opened) throw new Error('the secret of a webhook was sealed under another key');
      return opened.secret;
    },
    reseal(sealed) {
      const opened = tryOpen(sealed);
      return opened && opened.at > 0 ? seal(keys[0], opened.secret) : undefined;
    },
  };
}

function seal(key: Buffer, secret: Buffer): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, key, iv);
  const text = Buffer.concat([cipher.update(secret), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64');
}

function open(key: Buffer, sealed: string): Buffer {
  const bytes = Buffer.from(sealed, 'base64');
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
}

/**
 * The headers that sign a body.
 * @param id the same for each attempt
 * @param at when this attempt is made
 */
export function signatureHeaders(secret: Buffer, id: string, at: Date, body: string): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
