/** Webhooks, put together: how they are set up, and the feeds that tell them. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Jobs } from '../cluster/jobs.ts';
import type { Nodes } from '../cluster/nodes.ts';
import type { Partitions } from '../cluster/partitions.ts';
import type { Config } from '../config.ts';
import type { ChangedConversations } from '../conversations/changed-conversations.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { AuthenticationHook } from '../http/authentication.ts';
import type { KeyRing } from '../lib/key-ring.ts';
import { createOutbound } from '../lib/outbound/outbound.ts';
import type { Collections } from '../model/collections.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { WebhookList } from '../outbox/webhook-list.ts';
import { createSender } from './delivery/sender.ts';
import { startFeeds } from './feeds.ts';
import { removeLeftovers } from './leftovers.ts';
import { resealSecrets } from './reseal.ts';
import { registerWebhookRoutes } from './routes.ts';
import { createWebhookSecrets } from './secrets.ts';
import { createWebhookSetup } from './setup.ts';

export interface WebhookDomainOptions {
  collections: Collections;
  store: MessageStore;
  webhookList: WebhookList;
  changed: ChangedConversations;
  partitions: Partitions;
  nodes: Nodes;
  jobs: Pick<Jobs, 'handle'>;
  http: FastifyInstance;
  /** Asks for a server key. */
  requireServerKey: AuthenticationHook;
  /** Derives the keys that encrypt the secrets which are stored. */
  deriveKeys(purpose: string): KeyRing;
  outbox: Pick<Outbox, 'onEvent'>;
  config: Pick<Config, 'webhookAllowPrivate'>;
  clock(): Date;
  log: Logger;
}

export interface WebhookDomain {
  /** Shows the metrics of deliveries. */
  registerMetrics(registry: Registry): void;
  close(): Promise<void>;
}

export async function createWebhookDomain(options: WebhookDomainOptions): Promise<WebhookDomain> {
  const { collections, webhookList: list, http, requireServerKey, deriveKeys, outbox, config, jobs, clock } = options;
  const outbound = createOutbound({ allowPrivate: config.webhookAllowPrivate });
  const secrets = createWebhookSecrets(deriveKeys('webhook secrets'));
  await resealSecrets(collections, secrets);
  const deliveries = new Counter({
    name: 'letsapp_webhook_deliveries_total',
    help: 'Attempts to tell webhooks an event, by outcome',
    labelNames: ['outcome'],
    registers: [],
  });
  const feeds = startFeeds({
    ...options,
    list,
    send: createSender({ outbound, secrets, clock }),
    count: (outcome) => deliveries.inc({ outcome }),
  });
  outbox.onEvent(feeds.happened);
  const waiting = new Gauge({
    name: 'letsapp_webhook_waiting',
    help: 'Conversations, groups, users and calls of which something waits for a webhook, on this node',
    registers: [],
    collect() {
      this.set(feeds.size());
    },
  });
  const oldest = new Gauge({
    name: 'letsapp_webhook_oldest_waiting_seconds',
    help: 'For how long nothing was taken of what waits for a webhook on this node, since this node knows of it',
    registers: [],
    collect() {
      this.set(feeds.oldestSeconds());
    },
  });
  const setup = createWebhookSetup({ ...options, list, outbound, secrets, note: feeds.note });
  registerWebhookRoutes(http, { onRequest: requireServerKey, setup });
  removeLeftovers(collections, jobs, clock);

  return {
    registerMetrics(registry) {
      registry.registerMetric(deliveries);
      registry.registerMetric(waiting);
      registry.registerMetric(oldest);
    },
    async close() {
      await feeds.close();
      outbound.close();
    },
  };
}
