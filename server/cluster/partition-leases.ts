/** The leases of partitions as documents: taken and renewed by conditional updates. */
import type { Collections } from '../model/collections.ts';
import type { PartitionDocument } from '../model/documents/cluster.ts';
import { isDuplicateKey } from '../model/failures.ts';
import type { Nodes } from './nodes.ts';

export interface PartitionLeases {
  /** Renews this node's leases of some partitions. @returns the partitions that are still its own */
  renew(partitions: number[]): Promise<Set<number>>;
  /** All leases, by partition. */
  all(): Promise<Map<number, PartitionDocument>>;
  /** Says that this node takes part. @returns how many nodes do, and which of the nodes that have leases are dead */
  takePart(leases: Iterable<PartitionDocument>): Promise<{ nodes: number; dead: ReadonlySet<string> }>;
  /** @param lease as it was read; undefined where there is none. @returns whether this node has it now */
  take(partition: number, lease: PartitionDocument | undefined): Promise<boolean>;
  release(partitions: number[]): Promise<void>;
  noteDone(partitions: number[], until: Date): Promise<void>;
  /** Says that this node takes no part any more. */
  leave(): Promise<void>;
}

export interface PartitionLeasesOptions {
  collections: Pick<Collections, 'partitions' | 'nodes'>;
  nodes: Pick<Nodes, 'id' | 'deadAmong'>;
  clock(): Date;
  /** How long a lease lasts without renewal, in milliseconds. */
  leaseMs: number;
}

export function createPartitionLeases({ collections, nodes, clock, leaseMs }: PartitionLeasesOptions): PartitionLeases {
  const { partitions, nodes: records } = collections;
  const own = (ids: number[]) => ({ _id: { $in: ids }, node: nodes.id });
  const leased = () => ({ node: nodes.id, until: new Date(clock().getTime() + leaseMs) });

  return {
    async renew(ids) {
      await partitions.updateMany(own(ids), { $set: leased() });
      const found = await partitions.find(own(ids), { projection: { _id: 1 } }).toArray();
      return new Set(found.map(({ _id }) => _id));
    },
    async all() {
      const found = await partitions.find().toArray();
      return new Map(found.map((lease) => [lease._id, lease]));
    },
    async takePart(leases) {
      await records.updateOne({ _id: nodes.id }, { $set: { shares_work: true } });
      const sharing = await records
        .find({ shares_work: true, _id: { $ne: nodes.id } }, { projection: { _id: 1 } })
        .toArray();
      const others = sharing.map(({ _id }) => _id);
      const dead = new Set(await nodes.deadAmong([...others, ...[...leases].flatMap(({ node }) => node ?? [])]));
      return { nodes: 1 + others.filter((id) => !dead.has(id)).length, dead };
    },
    async take(_id, lease) {
      if (lease) {
        const { node, until } = lease;
        return (await partitions.updateOne({ _id, node, until }, { $set: leased() })).modifiedCount === 1;
      }
      try {
        await partitions.insertOne({ _id, ...leased() });
        return true;
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        return false;
      }
    },
    async release(ids) {
      await partitions.updateMany(own(ids), { $set: { node: null, until: clock() } });
    },
    async noteDone(ids, until) {
      await partitions.updateMany(own(ids), { $max: { done_until: until } });
    },
    async leave() {
      await records.updateOne({ _id: nodes.id }, { $unset: { shares_work: true } });
    },
  };
}
