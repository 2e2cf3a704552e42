/** Counts what a user's uploads hold, from the uploads themselves. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectId } from 'mongodb';
import type { Nodes } from '../../cluster/nodes.ts';
import type { Collections } from '../../model/collections.ts';
import type { PendingUploadDocument, UploadUsageDocument } from '../../model/documents/media.ts';
import { isDuplicateKey } from '../../model/failures.ts';
import type { UploadCollection } from '../documents/kinds.ts';
import { type Amount, amountOf } from './amount.ts';

/** How often to try while the sums change all the time, and how long to wait in between, in milliseconds. */
const ATTEMPTS = 40;
const WAIT_MS = 25;

/**
 * Sets a user's sums to what is stored and under way, once none of their changes is under way. What dead processes
 * began is ended. Gives up when the user's uploads never come to rest.
 * @returns how long it took to read all uploads once, in milliseconds
 */
export type Recount = (userId: ObjectId) => Promise<number>;

export interface RecountOptions {
  collections: Pick<Collections, 'upload_usage' | 'pending_uploads'>;
  /** Where finished uploads are. */
  uploads: UploadCollection[];
  nodes: Pick<Nodes, 'deadAmong'>;
}

export function createRecount({ collections, uploads, nodes }: RecountOptions): Recount {
  const { upload_usage: usage, pending_uploads: pending } = collections;

  async function isAtRest(sums: UploadUsageDocument | null): Promise<boolean> {
    const owners = (sums?.changes ?? []).map(({ node_id }) => node_id);
    const dead = await nodes.deadAmong(owners);
    return owners.every((owner) => dead.includes(owner));
  }

  async function count(userId: ObjectId): Promise<Amount> {
    // First what is under way: an upload that is finished meanwhile still has a note, or already a document.
    const notes = await pending.find({ uploader_id: userId, abandoned: { $exists: false } }).toArray();
    const dead = await nodes.deadAmong(notes.flatMap(({ node_id }) => node_id ?? []));
    const isDead = ({ node_id }: PendingUploadDocument) => node_id !== undefined && dead.includes(node_id);
    await abandon(notes.filter(isDead));
    const living = notes.filter((note) => !isDead(note));
    const stored = await Promise.all(uploads.map((collection) => bytesIn(collection, userId, living)));
    return {
      bytes: sum([...stored, ...living.map((note) => amountOf(note).bytes)]),
      expected: sum(living.map((note) => amountOf(note).expected)),
    };
  }

  /** Should one of these processes be alive after all, it finds that its upload is over. */
  async function abandon(notes: PendingUploadDocument[]): Promise<void> {
    if (notes.length === 0) return;
    const ids = notes.map(({ _id }) => _id);
    await pending.updateMany({ _id: { $in: ids } }, { $set: { abandoned: true } });
  }

  /** @returns false when the sums have changed since they were read */
  async function store(userId: ObjectId, before: UploadUsageDocument | null, found: Amount): Promise<boolean> {
    const sums = { bytes: found.bytes, held: found.bytes + found.expected, changes: [] };
    if (before) {
      const unchanged = { _id: userId, version: before.version };
      const update = { $set: sums, $inc: { version: 1 } };
      return (await usage.updateOne(unchanged, update)).matchedCount > 0;
    }
    try {
      await usage.insertOne({ _id: userId, ...sums, version: 0 });
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  return async (userId) => {
    let took = 0;
    for (let i = 0; i < ATTEMPTS; i++) {
      const before = await usage.findOne({ _id: userId });
      if (await isAtRest(before)) {
        const startedAt = performance.now();
        const found = await count(userId);
        took = performance.now() - startedAt;
        if (await store(userId, before, found)) break;
      }
      await sleep(WAIT_MS);
    }
    return took;
  };
}

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

/** @param notes of uploads that count by their notes, although they may have a document already */
async function bytesIn(
  collection: UploadCollection,
  userId: ObjectId,
  notes: PendingUploadDocument[],
): Promise<number> {
  const noted = notes.map(({ _id }) => _id);
  const [found] = await collection
    .aggregate<{ bytes: number }>([
      { $match: { uploader_id: userId, is_deleted: false, ...(noted.length > 0 && { _id: { $nin: noted } }) } },
      { $group: { _id: null, bytes: { $sum: '$file_size' } } },
    ])
    .toArray();
  return found?.bytes ?? 0;
}
