/**
 * Divides lasting work over the nodes that take part: what belongs together has one partition, and a partition one node.
 * It is held by a lease, renewed while the node lives; the lease of a dead node is taken over. A node that was stopped
 * past its lease may act once more beside the new owner, so whatever is done under it must bear that.
 */
import type { Logger } from 'pino';
import { every } from '../lib/every.ts';
import type { PartitionDocument } from '../model/documents/cluster.ts';
import { createPartitionLeases, type PartitionLeasesOptions } from './partition-leases.ts';

/** How many there are: the most nodes that can share the work. Stored data depends on it. */
export const PARTITIONS = 16;
const LOOK_MS = 2000;
const LEASE_MS = 10_000;

/** @returns the partition of what is named by a key, the same for ever (FNV-1a) */
export function partitionOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % PARTITIONS;
}

/** Who is told which partitions are this node's. */
export interface PartitionMember {
  /** @param from up to when the work was done before, by partition; undefined where nobody has begun */
  gained(from: ReadonlyMap<number, Date | undefined>): void;
  lost(partitions: number[]): void;
}

export interface Partitions {
  /**
   * Takes part until the returned function is called. The member is told at once of partitions this node already has.
   * Without members a node takes no part and asks the store nothing.
   */
  join(member: PartitionMember): () => void;
  /** Whether a partition is this node's now. */
  owns(partition: number): boolean;
  owned(): number[];
  /** Stores up to when the work of some of this node's partitions is done, for the next owner. */
  noteDone(partitions: number[], until: Date): Promise<void>;
  /** Gives all back. */
  close(): Promise<void>;
}

export interface PartitionsOptions extends Omit<PartitionLeasesOptions, 'leaseMs'> {
  log: Logger;
  /** In milliseconds; for tests. */
  lookMs?: number;
  leaseMs?: number;
}

export function createPartitions(options: PartitionsOptions): Partitions {
  const { log, lookMs = LOOK_MS } = options;
  const members = new Set<PartitionMember>();
  const holding = createHolding(options, {
    gained(from) {
      for (const member of members) member.gained(from);
    },
    lost(ids) {
      for (const member of members) member.lost(ids);
    },
  });
  let looking: { close(): void } | undefined;
  let underWay: Promise<void> = Promise.resolve();

  function inTurn(work: () => Promise<void>): Promise<void> {
    underWay = underWay.then(work).catch((err) => {
      log.warn({ err }, 'the division of work could not be looked at; trying again');
    });
    return underWay;
  }

  function begin(): void {
    const look = () => inTurn(async () => looking && holding.renew().then(holding.share));
    looking = every(lookMs, look, () => {});
    void look();
  }

  async function end(): Promise<void> {
    if (!looking) return;
    looking.close();
    looking = undefined;
    await inTurn(async () => {
      if (!looking) await holding.leave();
    });
  }

  return {
    owns: holding.owns,
    owned: () => [...holding.owned().keys()],
    join(member) {
      members.add(member);
      const mine = holding.owned();
      if (mine.size > 0) member.gained(mine);
      if (!looking) begin();
      return () => {
        members.delete(member);
        if (members.size === 0) void end();
      };
    },
    noteDone: holding.noteDone,
    close() {
      members.clear();
      return end();
    },
  };
}

/** This node's partitions: taken, renewed and given back. */
function createHolding(options: PartitionsOptions, { gained, lost }: PartitionMember) {
  const { nodes, clock, leaseMs = LEASE_MS } = options;
  const leases = createPartitionLeases({ ...options, leaseMs });
  /** Each with when its lease ends by `performance.now()`, and up to when the work is known to be done. */
  const held = new Map<number, { until: number; done: Date | undefined }>();
  const owns = (partition: number) => (held.get(partition)?.until ?? 0) > performance.now();

  function drop(ids: number[]): void {
    const gone = ids.filter((id) => held.delete(id));
    if (gone.length > 0) lost(gone);
  }

  async function release(ids: number[]): Promise<void> {
    drop(ids);
    await leases.release(ids);
  }

  return {
    owns,
    owned: () => new Map([...held].filter(([id]) => owns(id)).map(([id, { done }]) => [id, done])),
    async renew(): Promise<void> {
      drop([...held.keys()].filter((id) => !owns(id)));
      if (held.size === 0) return;
      const asked = performance.now();
      const mine = await leases.renew([...held.keys()]);
      drop([...held.keys()].filter((id) => !mine.has(id)));
      for (const lease of held.values()) lease.until = asked + leaseMs;
    },
    /** Takes free ones up to this node's share, or gives back what is beyond it. */
    async share(): Promise<void> {
      const all = await leases.all();
      const { nodes: count, dead } = await leases.takePart(all.values());
      const most = Math.ceil(PARTITIONS / count);
      if (held.size > most) return release([...held.keys()].slice(most));
      const now = clock();
      const isFree = (lease: PartitionDocument | undefined) =>
        !lease?.node || lease.until <= now || dead.has(lease.node) || lease.node === nodes.id;
      const taken = new Map<number, { until: number; done: Date | undefined }>();
      for (let id = 0; id < PARTITIONS && held.size + taken.size < most; id++) {
        const lease = all.get(id);
        if (held.has(id) || !isFree(lease)) continue;
        const asked = performance.now();
        if (await leases.take(id, lease)) taken.set(id, { until: asked + leaseMs, done: lease?.done_until });
      }
      if (taken.size === 0) return;
      // None is this node's before the members know.
      for (const [id, lease] of taken) held.set(id, lease);
      gained(new Map([...taken].map(([id, { done }]) => [id, done])));
    },
    async noteDone(ids: number[], until: Date): Promise<void> {
      const mine = ids.filter(owns);
      if (mine.length === 0) return;
      await leases.noteDone(mine, until);
      for (const id of mine) Object.assign(held.get(id) ?? {}, { done: until });
    },
    async leave(): Promise<void> {
      if (held.size > 0) await release([...held.keys()]);
      await leases.leave();
    },
  };
}
