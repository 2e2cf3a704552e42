/** Server keys, put together: what recognises them, what they may spend, and what is logged of their use. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { RateLimiter } from '../dispatch/rate-limits.ts';
import type { Collections } from '../model/collections.ts';
import { auditServerKeys } from './audit.ts';
import { createKeyHooks, type KeyHooks } from './keys/hooks.ts';
import { createKeyIdentification } from './keys/identification.ts';
import { createUseNotes } from './keys/use-notes.ts';

export interface ServerKeysOptions {
  collections: Pick<Collections, 'server_keys' | 'users'>;
  http: FastifyInstance;
  config: Pick<Config, 'apiKey'>;
  rateLimiter: RateLimiter;
  clock(): Date;
  log: Logger;
}

export function createServerKeys(options: ServerKeysOptions): KeyHooks {
  const { collections, http, config, rateLimiter, log } = options;
  auditServerKeys(http, log);
  const keys = createKeyIdentification({ collections, apiKey: config.apiKey, noteUse: createUseNotes(options) });
  return createKeyHooks({ collections, keys, rateLimiter });
}
