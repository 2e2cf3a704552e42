/** Publishes without waiting, and counts what got lost. */
import type { RedisClient } from './redis-clients.ts';

/** Publications under way at most. A Redis that does not keep up with these is too slow to wait for. */
const MAX_IN_FLIGHT = 20_000;

export interface RedisPublisher {
  isReady(): boolean;
  /** Publishes to each channel, whose names lack the prefix. Never throws, never waits: what cannot be sent is lost. */
  publish(names: string[], payload: string): void;
  /** Publishes to one channel; rejects when Redis did not take it. */
  send(channel: string, payload: string): Promise<unknown>;
  /** How many publications were lost since this was last reset. */
  lost(): number;
  resetLost(): void;
}

export interface RedisPublisherOptions {
  client: RedisClient;
  /** Publishes to the shard of each channel instead of to the whole cluster. */
  isCluster: boolean;
  prefix: string;
  /** While this is false, publications count as lost without a try. */
  isUp(): boolean;
}

export function createRedisPublisher({ client, isCluster, prefix, isUp }: RedisPublisherOptions): RedisPublisher {
  let inFlight = 0;
  let lost = 0;

  const send = (channel: string, payload: string): Promise<unknown> =>
    isCluster ? client.spublish(channel, payload) : client.publish(channel, payload);
  const sent = () => {
    inFlight--;
  };
  const failed = () => {
    inFlight--;
    lost++;
  };

  return {
    isReady: () => client.status === 'ready',
    publish(names, payload) {
      for (const name of names) {
        if (!isUp() || inFlight >= MAX_IN_FLIGHT) {
          lost++;
          continue;
        }
        inFlight++;
        send(prefix + name, payload).then(sent, failed);
      }
    },
    send,
    lost: () => lost,
    resetLost() {
      lost = 0;
    },
  };
}
