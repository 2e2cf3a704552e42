/** Push, put together: subscriptions of devices, and what is sent to them while they are away. */
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import { createOutbound } from '../lib/outbound/outbound.ts';
import type { Collections } from '../model/collections.ts';
import { createPushCommands } from './commands.ts';
import { registerPushRoutes } from './routes.ts';
import { createSubscriptionStore } from './subscription-store.ts';
import { loadVapidKeys } from './vapid-keys.ts';

export interface PushDomainOptions {
  collections: Collections;
  http: FastifyInstance;
  config: Pick<Config, 'push' | 'dataDir'>;
  clock(): Date;
}

export interface PushDomain {
  handlers: HandlersOf<'push'>;
  /** Removes what belongs to sessions that have ended. Repeatable. */
  sessionsEnded(sessionIds: string[]): Promise<void>;
  close(): void;
}

/** @throws ConfigError when the VAPID keys cannot be used */
export async function createPushDomain({ collections, http, config, clock }: PushDomainOptions): Promise<PushDomain> {
  const { push, dataDir } = config;
  const vapid = await loadVapidKeys(push, dataDir);
  const store = createSubscriptionStore(collections, clock);
  const outbound = createOutbound({ allowPrivate: push.allowPrivate });
  const setUp = { webpush: vapid, fcm: push.fcm, apns: push.apns };
  registerPushRoutes(http, vapid?.publicKey);
  return {
    handlers: createPushCommands({
      store,
      isSetUp: (provider) => setUp[provider] !== undefined,
      checkEndpoint: outbound.refusal,
    }),
    sessionsEnded: store.removeOfSessions,
    close: outbound.close,
  };
}
