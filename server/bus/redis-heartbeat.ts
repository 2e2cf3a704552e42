/** Proves the way through Redis: a node publishes to itself and waits to hear it. */

/** A cluster's channels are spread over its shards: this many beats almost certainly reach all of them. */
const CLUSTER_BEATS = 16;

export interface Heartbeat {
  /** The channels that the beats go over. */
  channels: string[];
  /** Publishes the next beat to every channel. */
  send(): void;
  /**
   * Takes what arrived on one of the channels.
   * @returns when the newest beat was sent, in milliseconds, once it was heard on every channel; otherwise undefined
   */
  hear(channel: string, payload: string): number | undefined;
}

/** @param prefix names the channels of this node alone */
export function createHeartbeat(
  prefix: string,
  isCluster: boolean,
  publish: (channel: string, payload: string) => Promise<unknown>,
  clock: () => Date,
): Heartbeat {
  const channels = Array.from({ length: isCluster ? CLUSTER_BEATS : 1 }, (_, i) => `${prefix}${i}`);
  let sentAt = 0;
  const missing = new Set<string>();

  return {
    channels,
    send() {
      sentAt = clock().getTime();
      for (const channel of channels) {
        missing.add(channel);
        publish(channel, String(sentAt)).catch(() => {});
      }
    },
    hear(channel, payload) {
      const isLast = Number(payload) === sentAt && missing.delete(channel) && missing.size === 0;
      return isLast ? sentAt : undefined;
    },
  };
}
