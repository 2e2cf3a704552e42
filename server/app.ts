/** The composition root: builds everything by hand, in order. */
import type { Logger } from 'pino';
import { createAccountDomain } from './accounts/domain.ts';
import { registerAccountRoutes } from './accounts/routes.ts';
import { stateOf, toSelf } from './accounts/views.ts';
import { createCallDomain } from './calls/domain.ts';
import type { Config } from './config.ts';
import { createContacts } from './contacts/contacts.ts';
import { contactHandlers } from './contacts/handlers.ts';
import { createPairs } from './contacts/pairs.ts';
import { createProfiles } from './contacts/profiles.ts';
import { createConversationDomain } from './conversations/domain.ts';
import { createMemberships } from './conversations/memberships.ts';
import { createServerTime } from './conversations/server-time.ts';
import { createSummaries } from './conversations/summaries.ts';
import { connect } from './database/connect.ts';
import { createFanoutDomain } from './fanout/domain.ts';
import { createBudgets } from './gateway/budgets.ts';
import { createDispatch } from './gateway/dispatch.ts';
import { createDrain } from './gateway/drain.ts';
import { createGateway, createIo } from './gateway/gateway.ts';
import { watchOverload } from './gateway/overload.ts';
import { createMemoryRateLimiter, unlimited } from './gateway/rate-limits.ts';
import { createRedisRateLimiter } from './gateway/rate-limits-redis.ts';
import { createGroups } from './groups/groups.ts';
import { groupHandlers } from './groups/handlers.ts';
import { createRooms } from './groups/rooms.ts';
import { createStays } from './groups/stays.ts';
import { succeedAdmin } from './groups/succession.ts';
import { authenticated } from './http/authentication.ts';
import { listen } from './http/listen.ts';
import { hostOf, isAllowedOrigin, otherOrigins } from './http/origin.ts';
import { createHttpServer } from './http/server.ts';
import { createJobs } from './jobs/jobs.ts';
import { createMediaDomain } from './media/domain.ts';
import { createAccess } from './messaging/access.ts';
import { createAccessMemory, NO_MEMORY, watchChanges } from './messaging/access-memory.ts';
import { messageHandlers } from './messaging/handlers.ts';
import { createHistory } from './messaging/history.ts';
import { createMessageStore } from './messaging/message-store.ts';
import { createMessages } from './messaging/messages.ts';
import { createTyping } from './messaging/typing.ts';
import { createWriter } from './messaging/writer.ts';
import { publishDocuments } from './operations/documents.ts';
import { createMetrics } from './operations/metrics.ts';
import { startNodes } from './operations/nodes.ts';
import { registerOperationRoutes } from './operations/routes.ts';
import { createMemoryDepartures, createRedisDepartures } from './presence/departures.ts';
import { createMemoryDevices } from './presence/devices.ts';
import { createRedisDevices } from './presence/devices-redis.ts';
import { presenceHandlers } from './presence/handlers.ts';
import { createPresence } from './presence/presence.ts';
import { createRedisLink } from './redis/link.ts';

export interface App {
  /** Where it listens, e.g. `http://127.0.0.1:3000`. */
  url: string;
  /** Tells the clients, finishes what is in flight, and closes everything; takes less than ten seconds. */
  stop(): Promise<void>;
}

/** How late another node's write may be found by `sync` for the time it carries, in milliseconds. */
const OTHER_NODES_MS = 2000;

/** How long a start waits for Redis before the server serves without, in milliseconds. */
const REDIS_PATIENCE_MS = 2000;

/**
 * Builds the server and listens.
 * @param config the checked configuration
 * @param mongodbUrl the store: real, or that of the embedded database
 * @throws Error when a store cannot be reached or the port is taken
 */
export async function startApp(config: Config, mongodbUrl: string, log: Logger): Promise<App> {
  const clock = () => new Date();

  /** What follows an answer and is not waited for: a failure is logged. */
  const aside = (work: Promise<unknown>, failure: string) => {
    work.catch((err: unknown) => log.warn({ err }, failure));
  };

  // Stores
  const database = await connect(mongodbUrl);
  const { collections } = database;
  const redis = config.redisUrls.length > 0 ? createRedisLink({ urls: config.redisUrls, log }) : undefined;
  const local = config.rateLimits ? createMemoryRateLimiter() : unlimited;
  const rateLimiter = redis && config.rateLimits ? createRedisRateLimiter(redis, local, log) : local;

  // Edges
  const http = createHttpServer({ config, log });
  publishDocuments(http);
  const io = createIo(
    http.server,
    ({ headers }) => headers.origin === undefined || isAllowedOrigin(headers.origin, hostOf(headers, config), config),
    otherOrigins(config),
  );
  const metrics = createMetrics(() => io.of('/').sockets.size);

  // Fan-out
  const store = createMessageStore(collections);
  const nodes = await startNodes(collections, log);
  const { fanout, delivery, actors, ...fanoutDomain } = createFanoutDomain({
    io,
    collections,
    store,
    nodes,
    redis,
    historyAll: config.groupHistoryAll,
    log,
  });

  // With other nodes about, what they change would be seen too late.
  const accessMemory = redis ? NO_MEMORY : createAccessMemory();

  // Accounts
  const jobs = createJobs({ jobs: collections.jobs, clock, log });
  const { accounts, sessions, tokens, passwordReset, ...accountDomain } = await createAccountDomain({
    collections,
    config,
    onSessionsEnded: fanout.revoke,
    profilePicture: (userId, mediaId) => media.ownership.checkPicture(userId, mediaId),
    onProfileChanged(user) {
      const userId = user._id.toHexString();
      fanout.emit({ users: [userId] }, 'user:updated', { user: toSelf(user) }, undefined, stateOf(user));
      aside(profiles.tellContacts(userId), 'contacts are not told of a profile');
    },
    whileDeactivating: (write) => accessMemory.changing(undefined, write),
    onDeactivated(userId) {
      aside(profiles.tellContacts(userId), 'contacts are not told of a deactivation');
      const succession = accessMemory.changing(undefined, () => succeedAdmin(collections, fanout, userId, clock()));
      aside(succession, 'a group is without an admin');
    },
    clock,
    log,
  });

  // Media
  const media = createMediaDomain({
    db: database.db,
    collections,
    http,
    authenticate: authenticated(sessions),
    linkKey: tokens.deriveKey('media links'),
    rateLimiter,
    config,
    jobs,
    clock,
    log,
  });
  const { ownership } = media;

  // Conversations and messages
  const memberships = createMemberships(collections, config.groupHistoryAll, clock);
  const summaries = createSummaries(collections, store, clock);
  const access = createAccess(collections, config.groupHistoryAll, accessMemory);
  const writer = createWriter({
    store,
    summaries,
    fanout,
    actors,
    open: (conversation) => (conversation.kind === 'direct' ? memberships.openPair(conversation) : Promise.resolve()),
    clock,
  });
  const typing = createTyping({ collections, access, fanout });
  const messages = createMessages({ store, writer, access, attachments: ownership, onSent: typing.sent, clock });
  const history = createHistory(store, access);

  const serverTime = createServerTime(clock, config.redisUrls.length > 0 ? OTHER_NODES_MS : 0);
  const conversations = createConversationDomain({
    collections,
    store,
    summaries,
    access,
    fanout,
    typing,
    serverTime,
    callsOf: (userId) => callDomain.callsOf(userId),
    historyAll: config.groupHistoryAll,
    clock,
  });

  // Presence
  const devices = redis ? createRedisDevices({ link: redis, log }) : createMemoryDevices();
  const { presenceGraceMs: graceMs } = config;
  const departures = redis ? createRedisDepartures(redis, graceMs, log) : createMemoryDepartures(graceMs);
  const presence = createPresence({ collections, devices, departures, fanout, graceMs, clock, log });
  presence.settleEarlierRun();

  // Calls
  const callDomain = createCallDomain({
    collections,
    fanout,
    access,
    nodes,
    isConnected: (socketId) => io.of('/').sockets.get(socketId)?.connected === true,
    config,
    clock,
    log,
  });
  const { calls } = callDomain;

  // Contacts and profiles
  const pairs = createPairs({
    collections,
    fanout,
    onBecameContacts: (one, other) =>
      aside(presence.becameContacts(one, other), 'new contacts are not told of their presence'),
    clock,
  });
  const contacts = createContacts({ collections, pairs, onBlocked: calls.endBetween, clock });
  const profiles = createProfiles({ collections, fanout, maySeePresence: presence.maySee });

  // Groups
  const groups = createGroups({
    collections,
    stays: createStays(collections, clock),
    rooms: createRooms(collections, fanout, config.groupHistoryAll),
    store,
    fanout,
    isBlocked: access.isBlocked,
    checkIcon: ownership.checkPicture,
    onRemoved: calls.removeFromCalls,
    maxMembers: config.groupMaxMembers,
    clock,
    log,
  });

  const overload = watchOverload();
  const dispatch = createDispatch({
    handlers: serverTime.during(
      overload.shed({
        ...conversations.handlers,
        ...presenceHandlers(presence),
        ...watchChanges(contactHandlers(contacts, profiles), accessMemory),
        ...watchChanges(groupHandlers(groups), accessMemory),
        ...callDomain.handlers,
        ...messageHandlers(messages, history),
        'auth:renew': async (caller, { token }) => ({ expires_in: await gateway.renew(caller, token) }),
      }),
    ),
    spend: config.rateLimits ? createBudgets(rateLimiter) : () => {},
    onDone(command, outcome, startedAt) {
      metrics.commandDone(command, outcome, startedAt);
      // What is refused takes no time, and says nothing of what the others bear.
      if (command === 'message:send' && outcome === 'ok') media.messageTook(performance.now() - startedAt);
    },
    log,
  });
  const drain = createDrain(io, dispatch);
  const gateway = createGateway({
    io,
    delivery,
    async authenticate(token) {
      const { user, sessionId, expiresAt } = await sessions.authenticate(token);
      return { userId: user._id.toHexString(), sessionId, expiresAt, self: toSelf(user) };
    },
    loadGroups: memberships.groupsOf,
    dispatch: drain.dispatch,
    onConnected(socket, device) {
      const { userId, sessionId } = socket.data;
      presence.connected(userId, sessionId, socket.id, device);
      calls.connected(userId, socket);
    },
    onDisconnected({ id, data }) {
      typing.disconnected(id);
      presence.disconnected(data.userId, data.sessionId, id);
      // Of calls that outlive this node, the grace begins when another one, or the next start, finds it gone.
      if (!drain.isDraining()) calls.disconnected(data.userId, id);
    },
    isDraining: drain.isDraining,
    serverTime: serverTime.now,
    log,
  });

  const { updateProfile, deactivate } = accounts;
  const watchedAccounts = { ...accounts, ...serverTime.during({ updateProfile, deactivate }) };
  registerAccountRoutes(http, { accounts: watchedAccounts, passwordReset, sessions, tokens, rateLimiter, config });
  registerOperationRoutes(http, {
    isDraining: drain.isDraining,
    mongodbIsUp: database.isUp,
    redisIsUp: redis?.isUp,
    metrics,
  });

  async function closeAll(): Promise<void> {
    overload.close();
    await jobs.close();
    await media.close();
    await callDomain.close();
    await nodes.close();
    typing.close();
    presence.close();
    await devices.close();
    await fanoutDomain.close();
    await accountDomain.close();
    await database.close();
  }

  await redis?.untilUp(REDIS_PATIENCE_MS);
  const url = await listen(http, config).catch(async (error: unknown) => {
    await io.close();
    await closeAll();
    throw error;
  });

  return {
    url,
    async stop() {
      // Before the connections close: their seats in calls are kept for after the restart.
      await callDomain.close();
      await drain.drain();
      await writer.idle();
      await http.close();
      await closeAll();
    },
  };
}
