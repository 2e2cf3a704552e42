/**
 * This node's connections to Redis, or to a Redis Cluster: one for commands, one that publishes, one that is subscribed.
 * Nothing is queued while Redis is away: what cannot be sent now is refused now, and told as lost. Whether Redis is
 * there is not believed of a socket but tried: each second the node publishes to itself and waits to hear it.
 */
import { randomBytes } from 'node:crypto';
import { Cluster, Redis } from 'ioredis';
import type { Logger } from 'pino';

/** How often the way through Redis is tried, in milliseconds. */
const BEAT_MS = 1000;
/** After so many beats unheard, one a second, the connections are given up and made anew (half-open sockets). */
const MISSED_BEATS = 3;
/** A cluster's channels lie on its shards: so many beats go over all of them, as good as surely. */
const CLUSTER_BEATS = 16;
/** Longest wait between two attempts to connect, in milliseconds: all must be well 5 s after the return of Redis. */
const RECONNECT_MS = 500;
/** Longest that a command may take, in milliseconds. */
const COMMAND_TIMEOUT_MS = 1000;
/** Publications under way; a Redis that takes no more than these in time is too slow to be waited for. */
const MAX_IN_FLIGHT = 20_000;
/** Channels in one SUBSCRIBE. */
const SUBSCRIBE_BATCH = 1000;

const PREFIX = 'letsapp:';

export interface Recovery {
  /** What was published after this moment, in milliseconds, may not have reached this node. */
  since: number;
  /** Whether publications of this node may not have reached the others. */
  lostOwn: boolean;
}

export interface RedisLink {
  /** This node's name among those that publish. */
  nodeId: string;
  /** For commands; rejects at once while Redis is away, and after a second when it does not answer. */
  commands: Redis | Cluster;
  isUp(): boolean;
  /** Since when, in milliseconds, publications of this node may be lost, if so. */
  cutOffSince(): number | undefined;
  /** Resolves when Redis is there, or after the given milliseconds. */
  untilUp(timeoutMs: number): Promise<void>;
  /** Publishes to channels; never throws, never waits: what cannot be sent is lost, and told by `onRecovered`. */
  publish(channels: string[], payload: string): void;
  /** Resolves when what is published to the channels reaches this node; keeps them over reconnections. */
  subscribe(channels: string[]): Promise<void>;
  unsubscribe(channels: string[]): void;
  /** Called with all that is published to the subscribed channels. */
  onMessage(callback: (payload: string) => void): void;
  /** Called when Redis is there again, and everything subscribed. */
  onRecovered(callback: (recovery: Recovery) => void): void;
  close(): Promise<void>;
}

export interface RedisLinkOptions {
  /** One: a single Redis. Several: nodes of a cluster. */
  urls: string[];
  log: Logger;
}

/** Connects in the background: a server starts without Redis, too. */
export function createRedisLink({ urls, log }: RedisLinkOptions): RedisLink {
  const nodeId = randomBytes(6).toString('base64url');
  const isCluster = urls.length > 1;
  const clients: (Redis | Cluster)[] = [];
  const channels = new Set<string>();
  const beatChannels = Array.from({ length: isCluster ? CLUSTER_BEATS : 1 }, (_, i) => `${PREFIX}beat:${nodeId}:${i}`);
  const whenUp = new Set<() => void>();
  let receive: (payload: string) => void = () => {};
  let recovered: (recovery: Recovery) => void = () => {};
  let up = false;
  let closing = false;
  let establishing = false;
  /** The last moment of which is known that everything went through. */
  let lastGood = Date.now();
  let unheard = 0;
  let inFlight = 0;
  let lost = 0;
  /** The beat that is under way: when it was sent, and on which channels it was not heard yet. */
  let beat = { at: 0, missing: new Set<string>() };

  function connect(options: { commandTimeout?: number }): Redis | Cluster {
    const common = {
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: 2000,
      ...options,
    };
    const strategy = (times: number) => (closing ? null : Math.min(50 * times, RECONNECT_MS));
    const client = isCluster
      ? new Cluster(urls, {
          enableOfflineQueue: false,
          shardedSubscribers: true,
          clusterRetryStrategy: strategy,
          slotsRefreshTimeout: 2000,
          redisOptions: common,
        })
      : new Redis(urls[0]!, { ...common, enableOfflineQueue: false, retryStrategy: strategy });
    client.on('error', (err) => log.debug({ err }, 'redis connection'));
    clients.push(client);
    return client;
  }

  const commands = connect({ commandTimeout: COMMAND_TIMEOUT_MS });
  const publisher = connect({});
  const subscriber = connect({});
  for (const client of [publisher, subscriber]) {
    client.on('ready', () => void establish());
    client.on('close', () => down('the connection was lost'));
  }
  subscriber.on(isCluster ? 'smessage' : 'message', (channel: string, payload: string) => {
    if (beatChannels.includes(channel)) heard(channel, Number(payload));
    else receive(payload);
  });

  function down(why: string): void {
    if (!up || closing) return;
    up = false;
    log.warn({ why }, 'redis is away: live events reach this node only, until it is back');
  }

  /** Publishes to oneself; the answers arrive in `heard`. */
  function sendBeat(): void {
    beat = { at: Date.now(), missing: new Set(beatChannels) };
    for (const channel of beatChannels) send(channel, String(beat.at)).catch(() => {});
  }

  function heard(channel: string, at: number): void {
    if (at !== beat.at || !beat.missing.delete(channel) || beat.missing.size > 0) return;
    unheard = 0;
    const since = lastGood;
    lastGood = at;
    const lostOwn = lost > 0;
    if (up && !lostOwn) return;
    if (!up) log.info('redis is there');
    if (lostOwn) log.warn({ lost }, 'publications were lost: the other nodes are asked to look into the database');
    up = true;
    lost = 0;
    for (const resolve of whenUp) resolve();
    whenUp.clear();
    recovered({ since, lostOwn });
  }

  /** For how many ticks in a row each client has been about to be connected. */
  const startingFor = new Map<Redis | Cluster, number>();

  /** A connection may hang before it is ready, too: only its TCP handshake has a time limit of its own. */
  function giveUpHangingStarts(): void {
    for (const client of clients) {
      const ticks =
        client.status === 'connect' || client.status === 'connecting' ? (startingFor.get(client) ?? 0) + 1 : 0;
      startingFor.set(client, ticks);
      if (ticks <= MISSED_BEATS) continue;
      startingFor.delete(client);
      client.disconnect(true);
    }
  }

  const ticking = setInterval(() => {
    giveUpHangingStarts();
    if (publisher.status !== 'ready' || subscriber.status !== 'ready') return;
    if (!up) void establish();
    else sendBeat();
    unheard++;
    if (unheard <= MISSED_BEATS) return;
    unheard = 0;
    down('it does not answer');
    for (const client of clients) client.disconnect(true);
  }, BEAT_MS);
  ticking.unref();

  /** Subscribes to everything after a (re)connection, and tries the way through. */
  async function establish(): Promise<void> {
    if (up || closing || establishing || publisher.status !== 'ready' || subscriber.status !== 'ready') return;
    establishing = true;
    try {
      await doSubscribe([...beatChannels, ...channels]);
      sendBeat();
    } catch (err) {
      log.debug({ err }, 'not subscribed');
    } finally {
      establishing = false;
    }
  }

  async function doSubscribe(names: string[]): Promise<void> {
    if (isCluster) {
      // One command a channel: those of one command would have to lie in the same slot.
      await Promise.all(names.map((name) => subscriber.ssubscribe(name)));
      return;
    }
    const batches: Promise<unknown>[] = [];
    for (let i = 0; i < names.length; i += SUBSCRIBE_BATCH) {
      batches.push(subscriber.subscribe(...names.slice(i, i + SUBSCRIBE_BATCH)));
    }
    await Promise.all(batches);
  }

  const send = (channel: string, payload: string): Promise<unknown> =>
    isCluster ? publisher.spublish(channel, payload) : publisher.publish(channel, payload);

  return {
    nodeId,
    commands,
    isUp: () => up,
    cutOffSince: () => (up && lost === 0 ? undefined : lastGood),
    untilUp(timeoutMs) {
      if (up) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        whenUp.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
    publish(names, payload) {
      for (const name of names) {
        if (!up || inFlight >= MAX_IN_FLIGHT) {
          lost++;
          continue;
        }
        inFlight++;
        send(PREFIX + name, payload).then(
          () => {
            inFlight--;
          },
          () => {
            inFlight--;
            lost++;
          },
        );
      }
    },
    async subscribe(names) {
      const full = names.map((name) => PREFIX + name);
      for (const name of full) channels.add(name);
      // While Redis is away, `establish` will see to them.
      if (subscriber.status === 'ready') await doSubscribe(full);
    },
    unsubscribe(names) {
      const full = names.map((name) => PREFIX + name);
      for (const name of full) channels.delete(name);
      if (subscriber.status !== 'ready' || full.length === 0) return;
      const gone = isCluster
        ? Promise.all(full.map((name) => subscriber.sunsubscribe(name)))
        : subscriber.unsubscribe(...full);
      // A channel too many costs a little work until the next reconnection, no more.
      gone.catch((err: unknown) => log.debug({ err }, 'not unsubscribed'));
    },
    onMessage(callback) {
      receive = callback;
    },
    onRecovered(callback) {
      recovered = callback;
    },
    async close() {
      closing = true;
      clearInterval(ticking);
      for (const client of clients) client.disconnect();
    },
  };
}
