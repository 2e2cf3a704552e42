/** The edges: commands from sockets and HTTP reach the domains' handlers, and connections live and end. */
import { createBudgets } from './dispatch/budgets.ts';
import { createDispatch } from './dispatch/dispatch.ts';
import { createListBudgets } from './dispatch/list-budgets.ts';
import { watchOverload } from './dispatch/overload.ts';
import type { Domains } from './domains.ts';
import type { Foundation } from './foundation.ts';
import { createSessionCommands } from './gateway/commands.ts';
import { createConnectionLimit } from './gateway/connection-limit.ts';
import { createDrain } from './gateway/drain.ts';
import { attachGateway } from './gateway/gateway.ts';
import { createPacketAnswers } from './gateway/packets.ts';
import { createTokenExpiry } from './gateway/token-expiry.ts';
import { bearing } from './http/authentication.ts';
import { registerCommandRoutes } from './http/commands.ts';
import { registerDocs } from './http/docs.ts';
import { registerWebClient } from './http/web-client.ts';
import { registerHealthRoutes } from './observability/health.ts';
import { createMetrics } from './observability/metrics.ts';

export interface Edges {
  /** Tells the clients, finishes what is in flight, and closes the connections; takes less than seven seconds. */
  drain(): Promise<void>;
  close(): void;
}

export function createEdges(foundation: Foundation, domains: Domains): Edges {
  const { config, io, http, delivery, serverTime, rateLimiter, points, database, diskSpace, redis, clock, log } =
    foundation;
  const { authenticate, media, presence, calls, contacts, groups, inbox, messages, push } = domains;
  const metrics = createMetrics({
    connections: () => io.of('/').sockets.size,
    freeBytes: diskSpace.free,
    pushes: push.counts,
    waitingPushes: push.waiting,
    oldestDueJob: foundation.jobs.oldestDue,
    isOverloaded: () => overload.isOverloaded(),
    mongodbIsUp: database.isUp,
    redisIsUp: redis?.isUp,
    clock,
  });
  domains.webhooks.registerMetrics(metrics.registry);
  const overload = watchOverload();
  const expiry = createTokenExpiry(clock);
  const limitConnections = config.rateLimits
    ? createConnectionLimit({ io, countOf: redis && presence.connectionsOf, log })
    : () => {};

  const dispatch = createDispatch({
    handlers: {
      ...messages.handlers,
      ...inbox.handlers,
      ...groups.handlers,
      ...contacts.handlers,
      ...presence.handlers,
      ...calls.handlers,
      ...push.handlers,
      ...push.noting({ ...messages.handlers, ...inbox.handlers, ...calls.handlers }),
      ...createSessionCommands({ io, authenticate, expiry, clock }),
    },
    spend: config.rateLimits ? createBudgets({ shared: rateLimiter, points }) : () => {},
    spendList: createListBudgets(rateLimiter),
    points,
    isOverloaded: overload.isOverloaded,
    untilWritable: database.reach.untilWritable,
    serverTime,
    onDone(command, outcome, startedAt) {
      metrics.commandDone(command, outcome, startedAt);
      // A refusal takes no time, and says nothing about what other messages have to bear.
      if (command === 'message:send' && outcome === 'ok') media.messageTook(performance.now() - startedAt);
    },
    log,
  });
  const drain = createDrain(io, createPacketAnswers(dispatch));
  attachGateway({
    io,
    delivery,
    authenticate,
    expiry,
    loadGroups: inbox.memberships.groupsOf,
    answer: drain.answer,
    points,
    onConnected(socket, device) {
      const { userId, sessionId } = socket.data;
      presence.connected(userId, sessionId, socket.id, device);
      limitConnections(userId);
      calls.connected(userId, socket);
    },
    onDisconnected({ id, data }) {
      messages.disconnected(id);
      presence.disconnected(data.userId, data.sessionId, id);
      // For calls that outlive this node, the grace period begins when another node, or the next start, finds it gone.
      if (!drain.isDraining()) calls.disconnected(data.userId, id);
    },
    isDraining: drain.isDraining,
    serverTime: serverTime.now,
    reach: database.reach,
    log,
  });
  registerCommandRoutes(http, { dispatch, authenticate: domains.identifyCaller });
  if (config.webClient) registerWebClient(http);
  registerDocs(http);
  registerHealthRoutes(http, {
    isDraining: drain.isDraining,
    mongodbIsUp: database.isUp,
    redisIsUp: redis?.isUp,
    unlinkedNodes: foundation.neighbours.count,
    diskState: diskSpace.state,
    metrics,
    guardMetrics: bearing(config.metricsToken),
  });
  return { drain: drain.drain, close: overload.close };
}
