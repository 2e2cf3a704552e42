/** Bytes of uploads in MongoDB (GridFS): every node reads what any node stored. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Db, GridFSBucket, MongoRuntimeError, ObjectId } from 'mongodb';
import { unavailable } from '../errors.ts';
import { type ByteRange, type MediaStorage, NotStored } from './storage.ts';

const BUCKET = 'uploads';
/** The default of the GridFS specification: with its document it fills the 256 KiB that storage engines allocate. */
const CHUNK_BYTES = 255 * 1024;
/**
 * How much is asked of the database at a time. One download stream over a whole file would fetch it in batches of
 * 16 MiB, whatever the reader's pace, and hold a cursor open for as long as a slow reader takes.
 */
const WINDOW_BYTES = 4 * CHUNK_BYTES;
/** A store that takes no chunk for so long has failed, in milliseconds. */
const STALLED_MS = 4500;

/** @param db the database; the collections `uploads.files` and `uploads.chunks` are made in it */
export function createGridfsStorage(db: Db): MediaStorage {
  const bucket = new GridFSBucket(db, { bucketName: BUCKET, chunkSizeBytes: CHUNK_BYTES });
  const chunks = db.collection(`${BUCKET}.chunks`);
  const files = db.collection(`${BUCKET}.files`);

  /** A window as one piece. It is small, and read at once: the pace of the consumer is not the cursor's. */
  async function readWindow(key: string, { start, end }: ByteRange): Promise<Buffer> {
    const window = bucket.openDownloadStream(new ObjectId(key), { start, end });
    const parts: Buffer[] = await window.toArray().catch((error: unknown) => {
      throw error instanceof MongoRuntimeError && isMissing(error) ? new NotStored() : error;
    });
    const read = Buffer.concat(parts);
    // Removed between the driver's two queries.
    if (read.length !== end - start) throw new NotStored();
    return read;
  }

  async function* readOn(key: string, first: Buffer, range: ByteRange): AsyncGenerator<Buffer> {
    yield first;
    for (let start = range.start + first.length; start < range.end; ) {
      const window = await readWindow(key, windowAt(start, range.end));
      yield window;
      start += window.length;
    }
  }

  return {
    async store(key, file) {
      const target = bucket.openUploadStreamWithId(new ObjectId(key), key);
      const stalled = setTimeout(() => target.destroy(unavailable()), STALLED_MS);
      const watched = async function* (source: AsyncIterable<Buffer>) {
        for await (const chunk of source) {
          stalled.refresh();
          yield chunk;
        }
      };
      try {
        await pipeline(createReadStream(file, { highWaterMark: CHUNK_BYTES }), watched, target);
      } finally {
        clearTimeout(stalled);
      }
    },
    async read(key, range) {
      const first = await readWindow(key, windowAt(range.start, range.end));
      return Readable.from(readOn(key, first, range), { objectMode: false, highWaterMark: 1 });
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

/** Whether the driver found no such file, or a chunk gone that should be there. */
function isMissing(error: MongoRuntimeError): boolean {
  return /^(FileNotFound|ChunkIsMissing|ExtraChunk|ChunkIsWrongSize)/.test(error.message);
}
