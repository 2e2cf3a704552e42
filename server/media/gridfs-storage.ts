/** Bytes of uploads in MongoDB (GridFS): every node reads what any node stored. */
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type Db, GridFSBucket, type GridFSBucketWriteStream, MongoRuntimeError, ObjectId } from 'mongodb';
import { withDeadline } from '../lib/deadline.ts';
import type { Pace } from './pace.ts';
import { type ByteRange, type MediaStorage, NotStored } from './storage.ts';

const BUCKET = 'uploads';
/** The default of the GridFS specification: with its document it fills the 256 KiB that storage engines allocate. */
const CHUNK_BYTES = 255 * 1024;
/**
 * How much is asked of the database at a time. One download stream over a whole file would fetch it in batches of
 * 16 MiB, whatever the reader's pace, and hold a cursor open for as long as a slow reader takes.
 */
const WINDOW_BYTES = 2 * CHUNK_BYTES;

/**
 * @param db the database; the collections `uploads.files` and `uploads.chunks` are made in it
 * @param rest waits after each chunk that was stored
 */
export function createGridfsStorage(db: Db, rest: Pace['rest'] = async () => {}): MediaStorage {
  const bucket = new GridFSBucket(db, { bucketName: BUCKET, chunkSizeBytes: CHUNK_BYTES });
  const chunks = db.collection(`${BUCKET}.chunks`);
  const files = db.collection(`${BUCKET}.files`);

  /** A window is small, and read at once: the pace of the consumer is not the cursor's. */
  async function readWindow(key: string, { start, end }: ByteRange): Promise<Buffer[]> {
    const window = bucket.openDownloadStream(new ObjectId(key), { start, end });
    const parts: Buffer[] = await window.toArray().catch((error: unknown) => {
      throw error instanceof MongoRuntimeError && isMissing(error) ? new NotStored() : error;
    });
    // Removed between the driver's two queries.
    if (parts.reduce((sum, part) => sum + part.length, 0) !== end - start) throw new NotStored();
    return parts;
  }

  async function* readOn(key: string, first: Buffer[], from: ByteRange, end: number): AsyncGenerator<Buffer> {
    yield* first;
    for (let window = windowAt(from.end, end); window.start < end; window = windowAt(window.end, end)) {
      yield* await readWindow(key, window);
    }
  }

  return {
    async store(key, file) {
      const target = bucket.openUploadStreamWithId(new ObjectId(key), key);
      // Each write is waited for, and tells what went wrong.
      target.on('error', () => {});
      const source = await open(file);
      try {
        // One buffer for all: what is written has been copied when the write is done.
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
      return Readable.from(readOn(key, first, window, range.end), { objectMode: false, highWaterMark: 1 });
    },
    async remove(key) {
      const id = new ObjectId(key);
      // The description first: without it nobody begins to read.
      await files.deleteOne({ _id: id });
      await chunks.deleteMany({ files_id: id });
    },
  };
}

/** From `start` to the end of its window; windows lie at multiples of their size, so that no chunk is read twice. */
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

/** Whether the driver found no such file, or a chunk gone that should be there. */
function isMissing(error: MongoRuntimeError): boolean {
  return /^(FileNotFound|ChunkIsMissing|ExtraChunk|ChunkIsWrongSize)/.test(error.message);
}
