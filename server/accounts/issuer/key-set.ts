/**
 * The JWK set (RFC 7517) of another issuer, from its URL. While the URL cannot be reached, jose's own
 * `createRemoteJWKSet` would stop using an old set, and would ask again for each unknown key.
 */
import { createLocalJWKSet } from 'jose';
import type { Logger } from 'pino';
import { unavailable } from '../../lib/errors.ts';

/** How long to wait for an answer, in milliseconds (PROTOCOL section 13). */
const PATIENCE_MS = 5000;
/** The least time between two reads of the set because of an unknown key, in milliseconds (PROTOCOL section 13). */
const UNKNOWN_KEY_MS = 30_000;
/** How often the set is read anew, so that keys taken out of it are not trusted for longer. Milliseconds. */
const RENEWAL_MS = 600_000;
const MAX_BYTES = 1024 ** 2;

export type Keys = ReturnType<typeof createLocalJWKSet>;

export interface KeySet {
  /**
   * @returns the last set that was read, however old
   * @throws ContractError `unavailable` when none was ever read
   */
  keys(): Promise<Keys>;
  /**
   * Reads the set anew since it lacks a key.
   * @param lacking the set without the key
   * @returns a newer set; the same one when asking was in vain, or when another key made it ask less than 30 s ago
   */
  newerThan(lacking: Keys): Promise<Keys>;
  close(): void;
}

export interface KeySetOptions {
  url: string;
  log: Logger;
  /** For tests: the times of this file. */
  times?: { patienceMs?: number; unknownKeyMs?: number; renewalMs?: number };
}

export function createKeySet({ url, log, times = {} }: KeySetOptions): KeySet {
  const { patienceMs = PATIENCE_MS, unknownKeyMs = UNKNOWN_KEY_MS, renewalMs = RENEWAL_MS } = times;
  let current: Keys | undefined;
  let underWay: Promise<void> | undefined;
  /** When it was last asked for because of an unknown key, by `performance.now()`. */
  let askedAt = Number.NEGATIVE_INFINITY;
  let isFailing = false;
  let renewal: NodeJS.Timeout | undefined;

  async function read(): Promise<void> {
    try {
      current = createLocalJWKSet(JSON.parse(await download(url, patienceMs)));
      renewal ??= setInterval(() => void renew(), renewalMs).unref();
      if (isFailing) log.info('the key set of AUTH_JWKS_URL can be read again');
      isFailing = false;
    } catch (err) {
      if (!isFailing) log.warn({ err }, 'the key set of AUTH_JWKS_URL cannot be read');
      isFailing = true;
    }
  }

  /** Whoever asks while it is being read waits for the same answer. */
  function renew(): Promise<void> {
    underWay ??= read().finally(() => {
      underWay = undefined;
    });
    return underWay;
  }

  return {
    async keys() {
      if (!current) await renew();
      if (!current) throw unavailable('the keys of the issuer cannot be read; try again');
      return current;
    },
    async newerThan(lacking) {
      if (current !== lacking) return current ?? lacking;
      if (underWay) await underWay;
      else if (performance.now() - askedAt >= unknownKeyMs) {
        askedAt = performance.now();
        await renew();
      }
      return current;
    },
    close() {
      clearInterval(renewal);
    },
  };
}

/** @throws Error unless an answer comes in time, with status 200 and at most a mebibyte */
async function download(url: string, patienceMs: number): Promise<string> {
  const signal = AbortSignal.timeout(patienceMs);
  const headers = { accept: 'application/jwk-set+json, application/json' };
  const { status, body } = await fetch(url, { redirect: 'manual', headers, signal });
  if (status !== 200) {
    await body?.cancel();
    throw new Error(`it is answered with status ${status}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
