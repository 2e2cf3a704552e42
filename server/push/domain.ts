/** Push, put together: subscriptions of devices, and what is sent to them while they are away. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { PushProvider } from '../../shared/contract/push.ts';
import type { Bus } from '../bus/bus.ts';
import type { Partitions } from '../cluster/partitions.ts';
import type { VapidKeys } from '../config/push.ts';
import type { Config } from '../config.ts';
import type { Audience } from '../conversations/audience.ts';
import type { ChangedConversations } from '../conversations/changed-conversations.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Visibility } from '../conversations/visibility.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import { createOutbound, type Outbound } from '../lib/outbound/outbound.ts';
import type { Collections } from '../model/collections.ts';
import { createAcknowledgements } from './acknowledgements.ts';
import { createPushCommands } from './commands.ts';
import { createDecide } from './decide/decide.ts';
import { createReadPeople } from './decide/people.ts';
import type { UnreadOf } from './decide/unread.ts';
import { createAttempt } from './jobs/attempt.ts';
import { createPushJobStore } from './jobs/job-store.ts';
import { createPushWorker } from './jobs/worker.ts';
import { createNoting, type Noting } from './noting.ts';
import { createOutcomes, type Outcomes } from './outcomes.ts';
import { createApns } from './providers/apns.ts';
import { createFcm } from './providers/fcm.ts';
import type { Provider } from './providers/provider.ts';
import { createWebPush } from './providers/web-push.ts';
import { registerPushRoutes } from './routes.ts';
import { createSources } from './sources/sources.ts';
import { createSubscribers } from './subscribers.ts';
import { createSubscriptionStore } from './subscription-store.ts';

export interface PushDomainOptions {
  collections: Collections;
  http: FastifyInstance;
  config: Pick<Config, 'push' | 'callRingTimeoutMs'>;
  /** Undefined where Web Push is not set up. */
  vapid: VapidKeys | undefined;
  audience: Pick<Audience, 'membersOfGroups'>;
  store: MessageStore;
  visibility: Visibility;
  changed: Pick<ChangedConversations, 'follow'>;
  partitions: Pick<Partitions, 'owns' | 'join'>;
  bus: Pick<Bus, 'usesPush'>;
  delivery: Pick<Delivery, 'onUsesPush'>;
  /** Whether a session has a connection to this node. */
  isConnectedHere(sessionId: string): boolean;
  /** The sessions of users that have one, on other nodes at least. */
  sessionsOf(userIds: string[]): Promise<string[]>;
  /** How much a user has not read. */
  unreadOf: UnreadOf;
  clock(): Date;
  log: Logger;
}

export interface PushDomain extends Pick<Noting, 'usesPush' | 'noting'>, Pick<Outcomes, 'counts'> {
  handlers: HandlersOf<'push'>;
  /** Removes what belongs to sessions that have ended. Repeatable. */
  sessionsEnded(sessionIds: string[]): Promise<void>;
  /** How many jobs wait, and since when the oldest does. */
  waiting(): Promise<{ count: number; since: Date | undefined }>;
  close(): Promise<void>;
}

export function createPushDomain(options: PushDomainOptions): PushDomain {
  const { collections, http, config, vapid, bus, delivery, clock, log } = options;
  const outbound = createOutbound({ allowPrivate: config.push.allowPrivate });
  // The operator's own settings: not checked.
  const unchecked = createOutbound({ allowPrivate: true });
  const providers = createProviders(options, outbound, unchecked);
  const store = createSubscriptionStore(collections, clock);
  const jobs = createPushJobStore(collections, clock);
  const outcomes = createOutcomes();
  const acknowledgements = createAcknowledgements({ collections, clock, log });
  const subscribers = createSubscribers({ ...options, store, providers });
  const readPeople = createReadPeople(collections);
  const { preview } = config.push;
  const ringTimeoutMs = config.callRingTimeoutMs;
  const worker = createPushWorker({
    jobs,
    decide: createDecide({ ...options, ...subscribers, acknowledgements, readPeople, preview, ringTimeoutMs }),
    attempt: createAttempt({ ...options, jobs, providerOf: (name) => providers[name], count: outcomes.count }),
    removeOfSessions: sessionsEnded,
    log,
  });
  const sources = createSources({
    ...options,
    ...subscribers,
    jobs,
    isAnySubscription: store.isAny,
    onBegun: worker.start,
    onStored: worker.wake,
  });
  const noting = createNoting({ acknowledgements, jobs, onStored: worker.wake, log });
  delivery.onUsesPush(noting.usesPush);
  registerPushRoutes(http, vapid?.publicKey);

  async function sessionsEnded(sessionIds: string[]): Promise<void> {
    await jobs.removeOf(await store.removeOfSessions(sessionIds));
  }

  return {
    handlers: createPushCommands({
      store,
      isSetUp: (provider) => providers[provider] !== undefined,
      checkEndpoint: outbound.refusal,
      onNamed(userId) {
        bus.usesPush(userId);
        sources.begin();
      },
    }),
    usesPush: noting.usesPush,
    noting: noting.noting,
    sessionsEnded,
    counts: outcomes.counts,
    waiting: jobs.waiting,
    async close() {
      sources.close();
      noting.close();
      await worker.close();
      await acknowledgements.close();
      for (const provider of Object.values(providers)) provider.close();
      outbound.close();
      unchecked.close();
    },
  };
}

/** Those that are set up. */
function createProviders(
  { config: { push }, vapid }: PushDomainOptions,
  outbound: Outbound,
  unchecked: Outbound,
): Partial<Record<PushProvider, Provider>> {
  const { vapidSubject: subject, fcm, apns } = push;
  return {
    ...(vapid ? { webpush: createWebPush({ outbound, keys: vapid, subject }) } : {}),
    ...(fcm ? { fcm: createFcm({ config: fcm, outbound: unchecked }) } : {}),
    ...(apns ? { apns: createApns({ config: apns }) } : {}),
  };
}
