/** Storage in MongoDB (GridFS): every node can read what any node stored. */
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type Db, GridFSBucket, type GridFSBucketWriteStream, MongoRuntimeError, ObjectId } from 'mongodb';
import { withDeadline } from '../../lib/deadline.ts';
import type { Pace } from './pace.ts';
import { type ByteRange, type MediaStorage, NotStored } from './storage.ts';

const BUCKET = 'uploads';
/** GridFS's default: a chunk and its document together fit the 256 KiB that storage engines allocate. */
const CHUNK_BYTES = 255 * 1024;
/**
 * Bytes read from the database at a time. A download stream over the whole file would fetch batches of 16 MiB however
 * slow its consumer is, and keep a cursor open until the consumer is done.
 */
const WINDOW_BYTES = 2 * CHUNK_BYTES;

/**
 * @param db where the collections `uploads.files` and `uploads.chunks` are created
 * @param rest called after each stored chunk, to slow down while messages need the machine
 */
export function createGridfsStorage(db: Db, rest: Pace['rest'] = async () => {}): MediaStorage {
  const bucket = new GridFSBucket(db, { bucketName: BUCKET, chunkSizeBytes: CHUNK_BYTES });
  const chunks = db.collection(`${BUCKET}.chunks`);
  const files = db.collection(`${BUCKET}.files`);

  /** Reads a whole window at once, so that a slow consumer does not hold a cursor open. */
  async function readWindow(key: string, { start, end }: ByteRange): Promise<Buffer[]> {
    const window = bucket.openDownloadStream(new ObjectId(key), { start, end });
    const parts: Buffer[] = await withDeadline(window.toArray()).catch((error: unknown) => {
      throw error instanceof MongoRuntimeError && isMissing(error) ? new NotStored() : error;
    });
    // Removed between the driver's two queries, for the file and for its chunks.
    if (parts.reduce((sum, part) => sum + part.length, 0) !== end - start) throw new NotStored();
    return parts;
  }

  async function* windowsFrom(key: string, first: Buffer[], from: ByteRange, end: number): AsyncGenerator<Buffer> {
    yield* first;
    for (let window = windowAt(from.end, end); window.start < end; window = windowAt(window.end, end)) {
      yield* await readWindow(key, window);
    }
  }

  return {
    async store(key, file) {
      const target = bucket.openUploadStreamWithId(new ObjectId(key), key);
      // Errors reach us through the callback of each write.
      target.on('error', () => {});
      const source = await open(file);
      try {
        // One buffer for all chunks: the driver has copied it once a write is done.
        const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
        for (;;) {
          const { bytesRead } = await source.read(buffer, 0, CHUNK_BYTES, null);
          if (bytesRead === 0) break;
          await withDeadline(write(target, buffer.subarray(0, bytesRead)));
          await rest(bytesRead);
        }
        await withDeadline(end(target));
      } catch (error) {
        target.destroy();
        throw error;
      } finally {
        await source.close();
      }
    },
    async read(key, range) {
      const window = windowAt(range.start, range.end);
      const first = await readWindow(key, window);
      return Readable.from(windowsFrom(key, first, window, range.end), { objectMode: false, highWaterMark: 1 });
    },
    async remove(key) {
      const id = new ObjectId(key);
      // The file document first: without it nobody starts reading.
      await withDeadline(files.deleteOne({ _id: id }));
      await withDeadline(chunks.deleteMany({ files_id: id }));
    },
  };
}

/** From `start` to the end of its window. Windows start at multiples of their size, so no chunk is read twice. */
function windowAt(start: number, end: number): ByteRange {
  return { start, end: Math.min(end, (Math.floor(start / WINDOW_BYTES) + 1) * WINDOW_BYTES) };
}

function write(target: GridFSBucketWriteStream, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => target.write(bytes, (error) => (error ? reject(error) : resolve())));
}

function end(target: GridFSBucketWriteStream): Promise<void> {
  return new Promise((resolve, reject) => {
    target.once('error', reject);
    target.end(() => resolve());
  });
}

/** Whether the driver found no such file, or misses one of its chunks. */
function isMissing(error: MongoRuntimeError): boolean {
  return /^(FileNotFound|ChunkIsMissing|ExtraChunk|ChunkIsWrongSize)/.test(error.message);
}
