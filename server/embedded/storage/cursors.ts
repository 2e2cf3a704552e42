import { randomBytes } from 'node:crypto';
import { Long } from 'bson';
import { Fault } from '../values/fault.ts';

/** How long a cursor may lie idle, in milliseconds. MongoDB's `cursorTimeoutMillis`. */
const IDLE_LIMIT_MS = 10 * 60_000;
/** Documents in a first batch whose size the client leaves open. */
const FIRST_BATCH = 101;
/** Bytes of documents in one batch. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

/** A document as it goes out. */
interface Item {
  readonly raw: Uint8Array;
}

export interface Batch {
  docs: Uint8Array[];
  /** Zero when the cursor is exhausted. */
  id: Long;
  namespace: string;
  isFirst: boolean;
}

interface Cursor {
  namespace: string;
  items: Iterator<Item>;
  /** A document that has been read and did not fit into the last batch. */
  waiting: Uint8Array | undefined;
  usedAt: number;
}

/** The open cursors. They belong to no connection: any may continue them. They do not outlive the process. */
export interface Cursors {
  /** The first batch of a result. The cursor stays open if there is more, unless `isSingle`. */
  open(namespace: string, items: Iterable<Item>, batchSize: number | undefined, isSingle?: boolean): Batch;
  /**
   * The next batch.
   * @throws Fault CursorNotFound, Unauthorized for another namespace, and what the query throws
   */
  next(id: Long, namespace: string, batchSize: number | undefined): Batch;
  /** Returns false if there is no such cursor. */
  close(id: Long): boolean;
  closeIdle(): void;
}

export function createCursors(): Cursors {
  const cursors = new Map<string, Cursor>();
  return {
    open(namespace, items, batchSize, isSingle = false) {
      const cursor: Cursor = {
        namespace,
        items: items[Symbol.iterator](),
        waiting: undefined,
        usedAt: performance.now(),
      };
      const { docs, done } = takeBatch(cursor, batchSize ?? FIRST_BATCH);
      if (done || isSingle) return { docs, id: Long.ZERO, namespace, isFirst: true };
      const id = Long.fromBits(randomBytes(4).readInt32LE(0), randomBytes(4).readUInt32LE(0) & 0x1fffff);
      cursors.set(id.toString(), cursor);
      return { docs, id, namespace, isFirst: true };
    },
    next(id, namespace, batchSize) {
      const cursor = cursors.get(id.toString());
      if (cursor === undefined) throw new Fault(43, `cursor id ${id} not found`);
      if (cursor.namespace !== namespace) throw otherNamespace(namespace, cursor);
      cursor.usedAt = performance.now();
      try {
        const { docs, done } = takeBatch(cursor, batchSize ?? Infinity);
        if (done) cursors.delete(id.toString());
        return { docs, id: done ? Long.ZERO : id, namespace, isFirst: false };
      } catch (error) {
        cursors.delete(id.toString());
        throw error;
      }
    },
    close: (id) => cursors.delete(id.toString()),
    closeIdle() {
      const oldest = performance.now() - IDLE_LIMIT_MS;
      for (const [id, { usedAt }] of cursors) if (usedAt < oldest) cursors.delete(id);
    },
  };
}

function takeBatch(cursor: Cursor, limit: number): { docs: Uint8Array[]; done: boolean } {
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
}

function otherNamespace(asked: string, { namespace }: Cursor): Fault {
  return new Fault(
    13,
    `Requested getMore on namespace '${asked}', but cursor belongs to a different namespace ${namespace}`,
  );
}
