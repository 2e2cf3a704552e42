/** Holds this node's subscriptions; the caller issues them anew after each connection. */
import type { Logger } from 'pino';
import type { RedisClient } from './redis-clients.ts';

/** Channels in one SUBSCRIBE. */
const BATCH = 1000;

export interface RedisSubscriber {
  isReady(): boolean;
  /** Resolves when what is published to the channels reaches this node; at once while Redis is away. */
  subscribe(channels: string[]): Promise<void>;
  unsubscribe(channels: string[]): void;
  /** Subscribes to everything that is held; rejects when that fails. */
  subscribeAll(): Promise<void>;
  onMessage(callback: (channel: string, payload: string) => void): void;
}

/** @param isCluster subscribes at the shard of each channel */
export function createRedisSubscriber(client: RedisClient, isCluster: boolean, log: Logger): RedisSubscriber {
  const held = new Set<string>();
  const isReady = () => client.status === 'ready';

  async function issue(channels: string[]): Promise<void> {
    // In a cluster one command a channel: the channels of one command would have to share a slot.
    if (isCluster) {
      await Promise.all(channels.map((channel) => client.ssubscribe(channel)));
      return;
    }
    const batches: Promise<unknown>[] = [];
    for (let i = 0; i < channels.length; i += BATCH) batches.push(client.subscribe(...channels.slice(i, i + BATCH)));
    await Promise.all(batches);
  }

  return {
    isReady,
    async subscribe(channels) {
      for (const channel of channels) held.add(channel);
      if (isReady()) await issue(channels);
    },
    unsubscribe(channels) {
      for (const channel of channels) held.delete(channel);
      if (!isReady() || channels.length === 0) return;
      const gone: Promise<unknown> = isCluster
        ? Promise.all(channels.map((channel) => client.sunsubscribe(channel)))
        : client.unsubscribe(...channels);
      // One channel too many costs a little work until the next connection, no more.
      gone.catch((err: unknown) => log.debug({ err }, 'not unsubscribed'));
    },
    subscribeAll: () => issue([...held]),
    onMessage(callback) {
      client.on(isCluster ? 'smessage' : 'message', callback);
    },
  };
}
