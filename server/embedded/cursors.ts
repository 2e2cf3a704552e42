import { randomBytes } from 'node:crypto';
import { Long } from 'bson';
import { Fault } from './errors.ts';
import type { Found } from './scan.ts';

/** How long a cursor may lie idle, as MongoDB's `cursorTimeoutMillis`, ms. */
const IDLE_LIMIT = 10 * 60_000;
/** Documents in a first batch that asks for no number. */
const FIRST_BATCH = 101;
/** Bytes of documents in one batch. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

export interface Batch {
  docs: Uint8Array[];
  /** 0 when the cursor is exhausted. */
  id: Long;
  namespace: string;
  first: boolean;
}

interface Cursor {
  namespace: string;
  items: Iterator<Found>;
  /** Read already, but it did not fit into the last batch. */
  waiting: Uint8Array | undefined;
  usedAt: number;
}

/** The open cursors. They belong to no connection: any may continue them. */
export interface Cursors {
  /** The first batch of a result; the cursor stays open if there is more, unless `single`. */
  open(namespace: string, items: Iterable<Found>, batchSize: number | undefined, single?: boolean): Batch;
  /** The next batch. Throws CursorNotFound. */
  next(id: Long, namespace: string, batchSize: number | undefined): Batch;
  /** Closes the cursor; false if there is none of that id. */
  close(id: Long): boolean;
  closeIdle(): void;
}

/** The table of open cursors, in memory: they do not outlive the process. */
export function createCursors(): Cursors {
  const cursors = new Map<string, Cursor>();

  const fill = (cursor: Cursor, limit: number): { docs: Uint8Array[]; done: boolean } => {
    const docs: Uint8Array[] = [];
    let bytes = 0;
    while (docs.length < limit) {
      let raw = cursor.waiting;
      if (raw === undefined) {
        const next = cursor.items.next();
        if (next.done) return { docs, done: true };
        raw = next.value.raw;
      }
      if (docs.length > 0 && bytes + raw.length > MAX_BATCH_BYTES) {
        cursor.waiting = raw;
        break;
      }
      cursor.waiting = undefined;
      docs.push(raw);
      bytes += raw.length;
    }
    return { docs, done: false };
  };

  return {
    open(namespace, items, batchSize, single = false) {
      const cursor: Cursor = { namespace, items: items[Symbol.iterator](), waiting: undefined, usedAt: Date.now() };
      const { docs, done } = fill(cursor, batchSize ?? FIRST_BATCH);
      if (done || single) return { docs, id: Long.ZERO, namespace, first: true };
      const id = Long.fromBits(randomBytes(4).readInt32LE(0), randomBytes(4).readUInt32LE(0) & 0x1fffff);
      cursors.set(id.toString(), cursor);
      return { docs, id, namespace, first: true };
    },
    next(id, namespace, batchSize) {
      const cursor = cursors.get(id.toString());
      if (cursor === undefined) throw new Fault(43, `cursor id ${id} not found`);
      if (cursor.namespace !== namespace) {
        throw new Fault(
          13,
          `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.namespace}`,
        );
      }
      cursor.usedAt = Date.now();
      try {
        const { docs, done } = fill(cursor, batchSize ?? Infinity);
        if (done) cursors.delete(id.toString());
        return { docs, id: done ? Long.ZERO : id, namespace, first: false };
      } catch (error) {
        cursors.delete(id.toString());
        throw error;
      }
    },
    close: (id) => cursors.delete(id.toString()),
    closeIdle() {
      const oldest = Date.now() - IDLE_LIMIT;
      for (const [id, { usedAt }] of cursors) if (usedAt < oldest) cursors.delete(id);
    },
  };
}
