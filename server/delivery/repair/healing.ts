/** What sees to it that this node, and by its doing the others, miss nothing whatever dies: see docs/decisions/fanout.md. */
import type { Collections } from '../../model/collections.ts';
import type { Nodes } from '../../cluster/nodes.ts';
import type { RedisLink } from '../../bus/redis-link.ts';
import { watchNodes } from './node-watch.ts';
import type { RedisBroker } from '../../bus/redis-broker.ts';
import type { Resync } from './resync.ts';

export interface HealingOptions {
  collections: Collections;
  nodes: Nodes;
  link: RedisLink;
  broker: RedisBroker;
  resync: Resync;
  onError(error: unknown): void;
}

/** Starts to heal after losses of Redis and of nodes. */
export function startHealing({ collections, nodes, link, broker, resync, onError }: HealingOptions): { close(): void } {
  link.onRecovered(({ since, lostOwn }) => {
    resync.request(since);
    broker.replay(since, lostOwn);
    if (lostOwn) broker.askResync(since);
  });
  const watch = watchNodes({
    records: collections.nodes,
    nodes,
    cutOffSince: link.cutOffSince,
    onUntold: resync.request,
    onError,
  });
  return {
    close: watch.close,
  };
}
