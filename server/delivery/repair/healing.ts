/** Sees to it that this node, and through it the others, miss nothing whatever dies: see docs/decisions/nodes.md. */
import type { RedisBroker } from '../../bus/redis-broker.ts';
import type { RedisLink } from '../../bus/redis-link.ts';
import type { Nodes } from '../../cluster/nodes.ts';
import type { Collections } from '../../model/collections.ts';
import { watchNodes } from './node-watch.ts';
import type { Resync } from './resync.ts';

export interface HealingOptions {
  collections: Pick<Collections, 'nodes'>;
  nodes: Nodes;
  clock(): Date;
  link: Pick<RedisLink, 'onRecovered' | 'cutOffSince'>;
  broker: Pick<RedisBroker, 'askResync' | 'replay'>;
  resync: Pick<Resync, 'request'>;
  onError(error: unknown): void;
}

/** From now on, losses of Redis and of nodes are healed. */
export function startHealing({ collections, nodes, clock, link, broker, resync, onError }: HealingOptions): {
  close(): void;
} {
  link.onRecovered(({ since, lostOwn }) => {
    resync.request(since);
    broker.replay(since, lostOwn);
    if (lostOwn) broker.askResync(since);
  });
  return watchNodes({
    records: collections.nodes,
    nodes,
    clock,
    cutOffSince: link.cutOffSince,
    onUntold: resync.request,
    onError,
  });
}
