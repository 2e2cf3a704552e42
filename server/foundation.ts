/** What every domain stands on: the stores, the edges without routes, the bus and delivery, and access. */
import type { Logger } from 'pino';
import { noting } from './bus/bus.ts';
import type { RedisLink } from './bus/redis-link.ts';
import { createJobs } from './cluster/jobs.ts';
import { LINKED, watchNeighbours } from './cluster/neighbours.ts';
import { startNodes } from './cluster/nodes.ts';
import { createPartitions, type PartitionsOptions } from './cluster/partitions.ts';
import type { Config } from './config.ts';
import { createAccessRules } from './conversations/access-rules.ts';
import { createAudience } from './conversations/audience.ts';
import { type ChangedConversationsOptions, createChangedConversations } from './conversations/changed-conversations.ts';
import { createLookupCache } from './conversations/lookup-cache.ts';
import { createMessageStore } from './conversations/message-store.ts';
import { createNewestMessages } from './conversations/newest-messages.ts';
import { createVisibility } from './conversations/visibility.ts';
import { createDeliveryDomain } from './delivery/domain.ts';
import { createPoints } from './dispatch/points.ts';
import { createPrepaid } from './dispatch/prepaid.ts';
import { createMemoryRateLimiter, type RateLimiter, unlimited } from './dispatch/rate-limits.ts';
import { createRedisRateLimiter } from './dispatch/rate-limits-redis.ts';
import { createServerTime } from './dispatch/server-time.ts';
import { createIo } from './gateway/io.ts';
import { openFrontDoor } from './http/front-door.ts';
import { createOriginRefusals } from './http/origin-refusals.ts';
import { createHttpServer } from './http/server.ts';
import { watchDiskSpace } from './lib/disk-space.ts';
import type { Collections } from './model/collections.ts';
import { connect } from './model/connect.ts';
import { publishDocuments } from './observability/documents.ts';
import { createOutbox } from './outbox/outbox.ts';
import { type WebhookListOptions, watchWebhooks } from './outbox/webhook-list.ts';

/** How many points of a user a node takes at once from the budget that all nodes share. */
const POINTS_AHEAD = 20;

export type Foundation = Awaited<ReturnType<typeof createFoundation>>;

/**
 * Connects to the stores and builds what needs no domain. Nothing listens yet.
 * @param mongodbUrl the store: real, or that of the embedded database
 * @throws Error when the database cannot be reached; Redis may come later
 */
export async function createFoundation(config: Config, mongodbUrl: string, log: Logger) {
  const database = await connect(mongodbUrl, log);
  const { collections, clock } = database;
  const { redis, adapter } = config.redisUrls.length > 0 ? await openRedis(config.redisUrls, clock, log) : NO_REDIS;

  const originRefusals = createOriginRefusals(log);
  const http = createHttpServer({ config, reach: database.reach, originRefusals, log });
  publishDocuments(http);
  const io = createIo(http.server, config, originRefusals, adapter);
  openFrontDoor(http.server, config, `${io.path()}/`);

  const rateLimiter = rateLimiterOf(config, redis, log);
  const points = createPoints(redis ? createPrepaid(rateLimiter, POINTS_AHEAD) : rateLimiter);
  const store = createMessageStore(collections);
  const visibility = createVisibility(config.groupHistoryAll);
  const nodes = await startNodes(collections, clock, log);
  const company = () => (redis ? 'linked' : neighbours.isAlone() ? 'alone' : 'unlinked');
  const lookups = createLookupCache({ company, tellOthers: (topic) => bus.forget(topic) });
  const newest = createNewestMessages({
    store,
    isAlone: () => neighbours.isAlone(),
    hears: (conversation, since) =>
      redis !== undefined && redis.cutOffSince() === undefined && delivery.hasHeard(conversation, since),
    clock,
  });
  function onMissed(): void {
    newest.clear();
    lookups.forget();
  }
  const { delivery, actors, ...messengers } = createDeliveryDomain({
    io,
    collections,
    store,
    nodes,
    redis,
    visibility,
    newest,
    onForget: lookups.forget,
    onMissed,
    onSent: points.sent,
    clock,
    log,
  });
  const bus = noting(messengers.bus, (conversation, rev) => outgoing.changed.hint(conversation.id, rev));
  const neighbours = redis ? LINKED : await watchNeighbours({ nodes, onArrival: onMissed, log });
  const diskSpace = await watchDiskSpace({ folder: config.dataDir, minFreeBytes: config.minFreeBytes, log });
  const jobs = createJobs({ jobs: collections.jobs, clock, log });
  const { closeOutgoing, ...outgoing } = await openOutgoing({ collections, nodes, neighbours, jobs, clock, log });

  return {
    config,
    log,
    clock,
    database,
    db: database.db,
    collections,
    redis,
    http,
    io,
    store,
    newest,
    visibility,
    nodes,
    neighbours,
    bus,
    delivery,
    actors,
    lookups,
    access: createAccessRules(collections, visibility, lookups),
    audience: createAudience(collections, lookups),
    serverTime: createServerTime(clock, neighbours.isAlone),
    rateLimiter,
    points,
    jobs,
    ...outgoing,
    diskSpace,
    async close() {
      await closeOutgoing();
      neighbours.close();
      diskSpace.close();
      await nodes.close();
      await messengers.close();
      await database.close();
    },
  };
}

type OutgoingOptions = Omit<ChangedConversationsOptions, 'partitions' | 'nodes'> &
  PartitionsOptions &
  Pick<WebhookListOptions, 'neighbours'> & { collections: Collections };

/** The ways out of the server, to webhooks and push: which changes there are, and which node handles them. */
async function openOutgoing(options: OutgoingOptions) {
  const webhookList = await watchWebhooks(options);
  const outbox = createOutbox({ ...options, list: webhookList });
  const partitions = createPartitions(options);
  const changed = createChangedConversations({ ...options, partitions });
  return {
    webhookList,
    outbox,
    partitions,
    changed,
    async closeOutgoing() {
      webhookList.close();
      outbox.close();
      changed.close();
      await partitions.close();
    },
  };
}

const NO_REDIS = { redis: undefined, adapter: undefined };

/** What a node needs only beside other nodes: a single one does not load it. */
async function openRedis(urls: string[], clock: () => Date, log: Logger) {
  const { createRedisLink } = await import('./bus/redis-link.ts');
  const { createAdapter } = await import('./bus/adapter.ts');
  const redis = createRedisLink({ urls, clock, log });
  return { redis, adapter: createAdapter(redis, log) };
}

function rateLimiterOf(config: Config, redis: RedisLink | undefined, log: Logger): RateLimiter {
  if (!config.rateLimits) return unlimited;
  const local = createMemoryRateLimiter();
  return redis ? createRedisRateLimiter(redis, local, log) : local;
}
