/** Connections to one Redis or to a Redis Cluster: they reconnect by themselves and queue nothing while it is away. */
import { Cluster, Redis } from 'ioredis';
import type { Logger } from 'pino';

/** Longest wait between two attempts to connect, in milliseconds: every node must have healed 5 s after Redis returns. */
const RECONNECT_MS = 500;
/** Longest that a TCP handshake, or the discovery of a cluster, may take, in milliseconds. */
const CONNECT_TIMEOUT_MS = 2000;
/** How many checks in a row may find a client connecting before it starts over. */
const MAX_CHECKS_CONNECTING = 3;

export type RedisClient = Redis | Cluster;

export interface RedisClients {
  isCluster: boolean;
  /**
   * Connects in the background. Commands are refused while Redis is away. Subscriptions end with the connection:
   * whoever subscribes does so again at each `ready`.
   * @param options `commandTimeout` in milliseconds; none by default
   */
  connect(options?: { commandTimeout?: number }): RedisClient;
  /** Starts over with clients that hang before they are ready; to be called once a second. */
  restartHanging(): void;
  /** Drops all connections and makes them anew. */
  reconnect(): void;
  /** Drops all connections for good. */
  close(): void;
}

/** @param options one URL names a single Redis, several name nodes of a cluster */
export function createRedisClients({ urls, log }: { urls: string[]; log: Logger }): RedisClients {
  const isCluster = urls.length > 1;
  /** Each client with the number of checks in a row that found it connecting. */
  const clients = new Map<RedisClient, number>();
  let closing = false;

  const retryDelay = (attempt: number) => (closing ? null : Math.min(50 * attempt, RECONNECT_MS));

  function create(redisOptions: object): RedisClient {
    if (!isCluster)
      return new Redis(urls[0]!, { ...redisOptions, enableOfflineQueue: false, retryStrategy: retryDelay });
    return new Cluster(urls, {
      enableOfflineQueue: false,
      shardedSubscribers: true,
      clusterRetryStrategy: retryDelay,
      slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
      redisOptions,
    });
  }

  return {
    isCluster,
    connect(options = {}) {
      const client = create({
        autoResubscribe: false,
        autoResendUnfulfilledCommands: false,
        maxRetriesPerRequest: 0,
        connectTimeout: CONNECT_TIMEOUT_MS,
        ...options,
      });
      client.on('error', (err) => log.debug({ err }, 'redis connection'));
      clients.set(client, 0);
      return client;
    },
    restartHanging() {
      for (const [client, checks] of clients) {
        const isConnecting = client.status === 'connect' || client.status === 'connecting';
        const restart = isConnecting && checks === MAX_CHECKS_CONNECTING;
        clients.set(client, isConnecting && !restart ? checks + 1 : 0);
        if (restart) client.disconnect(true);
      }
    },
    reconnect() {
      for (const client of clients.keys()) client.disconnect(true);
    },
    close() {
      closing = true;
      for (const client of clients.keys()) client.disconnect();
    },
  };
}
