/**
 * This node's link to Redis or to a Redis Cluster: one connection for commands, one that publishes, one that is
 * subscribed. Nothing is queued while Redis is away: what cannot be sent now is refused now, and reported as lost.
 */
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { createRedisClients, type RedisClient } from './redis-clients.ts';
import { createRedisHealth, type RedisHealth } from './redis-health.ts';
import { createHeartbeat } from './redis-heartbeat.ts';
import { createRedisPublisher } from './redis-publisher.ts';
import { createRedisSubscriber } from './redis-subscriber.ts';

/** Longest that a command may take, in milliseconds. */
const COMMAND_TIMEOUT_MS = 1000;
const PREFIX = 'letsapp:';

export interface RedisLink extends Pick<RedisHealth, 'isUp' | 'cutOffSince' | 'untilUp' | 'onRecovered'> {
  /** This node's name among those that publish. */
  nodeId: string;
  clock(): Date;
  /** For commands; rejects at once while Redis is away, and after a second when it does not answer. */
  commands: RedisClient;
  /** Opens one more connection, which is watched and closed with the others; see `RedisClients.connect`. */
  connect(): RedisClient;
  /** Publishes to channels. Never throws and never waits: `onRecovered` tells when something was lost. */
  publish(channels: string[], payload: string): void;
  /** Resolves when what is published to the channels reaches this node; they are kept over reconnections. */
  subscribe(channels: string[]): Promise<void>;
  unsubscribe(channels: string[]): void;
  /** Called with everything that is published to the subscribed channels. */
  onMessage(callback: (payload: string) => void): void;
  close(): Promise<void>;
}

export interface RedisLinkOptions {
  /** One names a single Redis, several name nodes of a cluster. */
  urls: string[];
  /** What is lost is looked for in the database by its time. */
  clock(): Date;
  log: Logger;
}

/** Connects in the background, so that a server starts without Redis, too. */
export function createRedisLink({ urls, clock, log }: RedisLinkOptions): RedisLink {
  const nodeId = randomBytes(6).toString('base64url');
  const clients = createRedisClients({ urls, log });
  const { isCluster } = clients;
  const commands = clients.connect({ commandTimeout: COMMAND_TIMEOUT_MS });
  const [publishing, subscribed] = [clients.connect(), clients.connect()];
  const publisher = createRedisPublisher({
    client: publishing,
    isCluster,
    prefix: PREFIX,
    isUp: () => health.isUp(),
  });
  const subscriber = createRedisSubscriber(subscribed, isCluster, log);
  const heartbeat = createHeartbeat(`${PREFIX}beat:${nodeId}:`, isCluster, publisher.send, clock);
  const health = createRedisHealth({
    heartbeat,
    clock,
    isReady: () => publisher.isReady() && subscriber.isReady(),
    subscribeAll: subscriber.subscribeAll,
    lost: publisher.lost,
    resetLost: publisher.resetLost,
    restartHanging: clients.restartHanging,
    reconnect: clients.reconnect,
    log,
  });
  let receive: (payload: string) => void = () => {};

  for (const client of [publishing, subscribed]) {
    client.on('ready', () => void health.establish());
    client.on('close', () => health.lose('the connection was lost'));
  }
  void subscriber.subscribe(heartbeat.channels);
  subscriber.onMessage((channel, payload) => {
    if (heartbeat.channels.includes(channel)) health.hear(channel, payload);
    else receive(payload);
  });
  const named = (names: string[]) => names.map((name) => PREFIX + name);

  return {
    nodeId,
    clock,
    commands,
    connect: clients.connect,
    isUp: health.isUp,
    cutOffSince: health.cutOffSince,
    untilUp: health.untilUp,
    onRecovered: health.onRecovered,
    publish: publisher.publish,
    subscribe: (names) => subscriber.subscribe(named(names)),
    unsubscribe: (names) => subscriber.unsubscribe(named(names)),
    onMessage(callback) {
      receive = callback;
    },
    async close() {
      health.close();
      clients.close();
    },
  };
}
