/**
 * Notices that other nodes may have stored something and told nobody, in cases that nothing later need reveal: a node
 * died between the two, or lost Redis. Each node has a record in the `nodes` collection, and says there when it is cut
 * off from Redis. A node that finds either compares with the database what changed since.
 */
import type { Collection } from 'mongodb';
import type { Nodes } from '../../cluster/nodes.ts';
import { every } from '../../lib/every.ts';
import type { NodeDocument } from '../../model/documents/cluster.ts';

const INTERVAL_MS = 2000;

export interface NodeWatchOptions {
  records: Collection<NodeDocument>;
  nodes: Nodes;
  clock(): Date;
  /** Since when, in milliseconds, this node cannot tell the others, if so. */
  cutOffSince(): number | undefined;
  /** What was stored after the given moment, in milliseconds, may not have been told. */
  onUntold(since: number): void;
  onError(error: unknown): void;
}

/** Starts to watch. */
export function watchNodes(options: NodeWatchOptions): { close(): void } {
  const { records, nodes, clock, cutOffSince, onUntold, onError } = options;
  /** The other nodes, each with its last sign of life, in milliseconds. */
  let known = new Map<string, number>();
  /** Those whose end was reported. */
  const ended = new Set<string>();
  /** Those that were cut off at the last look. */
  let cutOff = new Set<string>();
  /** Since when this node is cut off, as its record says. */
  let announced: number | undefined;
  let lookedAt = clock().getTime();

  async function announce(): Promise<void> {
    const since = cutOffSince();
    if (since === announced) return;
    await records.updateOne(
      { _id: nodes.id },
      since === undefined ? { $unset: { cut_off_at: true } } : { $set: { cut_off_at: new Date(since) } },
    );
    announced = since;
  }

  async function look(): Promise<void> {
    const now = clock().getTime();
    const found = (await records.find().toArray()).filter(({ _id }) => _id !== nodes.id);
    const seen = new Map(found.map(({ _id, seen_at }) => [_id, seen_at.getTime()]));
    const dead = await nodes.deadAmong([...new Set([...known.keys(), ...seen.keys()])]);
    for (const id of dead) if (!ended.has(id)) onUntold(seen.get(id) ?? known.get(id) ?? lookedAt);
    for (const { _id, cut_off_at } of found) {
      if (cut_off_at && !ended.has(_id)) onUntold(cutOff.has(_id) ? lookedAt : cut_off_at.getTime());
    }
    cutOff = new Set(found.filter(({ cut_off_at }) => cut_off_at).map(({ _id }) => _id));
    ended.clear();
    for (const id of dead) if (seen.has(id)) ended.add(id);
    known = seen;
    lookedAt = now;
  }

  return every(INTERVAL_MS, () => Promise.all([announce(), look()]), onError);
}
