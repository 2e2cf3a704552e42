/**
 * Uploads that arrive in several requests, perhaps at several nodes. What each request brought is stored as a part; the
 * last one puts the parts together, and from there an upload goes the way of every other. Its id is from the beginning
 * the one that its Media or File document will have.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Collection, ObjectId } from 'mongodb';
import type { Collections } from '../model/collections.ts';
import type { FileDocument, MediaDocument, ResumableUpload } from '../model/documents.ts';
import { ContractError, conflict, notFound } from '../lib/errors.ts';
import { type MediaStorage, newKey } from './storage.ts';
import type { TemporaryFiles, TemporaryFolder } from './temporary-files.ts';
import type { Uploads } from './uploads.ts';

/** An upload that is not finished by then is gone, in milliseconds. */
export const RESUMABLE_MS = 24 * 60 * 60 * 1000;
/** More interruptions than a line can have; each costs an entry in the document. */
const MAX_PARTS = 1000;

export interface ResumableUploads {
  /** Begins an upload of `size` bytes under an id of its own. */
  begin(id: ObjectId, upload: Omit<ResumableUpload, 'offset' | 'parts' | 'created_at'>): Promise<void>;
  /** How far an own upload has got: all the way when its document is there. Undefined when there is none. */
  find(id: ObjectId, uploaderId: ObjectId): Promise<Progress | undefined>;
  /**
   * Adds what a request brings, also when it breaks off. With the last byte the document is made.
   * @returns the new offset
   * @throws ContractError `conflict` when another request was faster; what `Uploads` throws, and then the upload is
   *   over, unless it is `unavailable`
   */
  append(id: ObjectId, offset: number, bytes: Readable): Promise<number>;
  /** Ends an upload that is not finished, with all that was received. @throws ContractError `not_found` */
  discard(id: ObjectId): Promise<void>;
}

export interface Progress {
  size: number;
  offset: number;
  createdAt: Date;
}

export interface ResumableUploadsOptions {
  collections: Collections;
  storage: MediaStorage;
  temporary: TemporaryFolder;
  uploads: Uploads;
  clock(): Date;
}

export function createResumableUploads({
  collections,
  storage,
  temporary,
  uploads,
  clock,
}: ResumableUploadsOptions): ResumableUploads {
  const { pending_uploads: pending } = collections;
  const finished = [collections.media, collections.files] as unknown as Collection<MediaDocument | FileDocument>[];
  const living = { abandoned: { $exists: false } };

  async function unfinished(id: ObjectId): Promise<ResumableUpload | undefined> {
    return (await pending.findOne({ _id: id, ...living }))?.resumable;
  }

  async function discard(id: ObjectId): Promise<void> {
    // Taken over as the clean-up does it: should this process die, the clean-up goes on.
    const taken = await pending.findOneAndUpdate(
      { _id: id, resumable: { $exists: true }, ...living },
      { $set: { abandoned: true, expires_at: clock() } },
    );
    if (!taken) throw notFound('no such upload');
    for (const key of taken.keys) await storage.remove(key);
    await pending.deleteOne({ _id: id });
  }

  async function storePart(id: ObjectId, offset: number, file: string, size: number): Promise<number> {
    const key = newKey();
    const here = { _id: id, 'resumable.offset': offset, ...living };
    const noted = await pending.updateOne(here, { $addToSet: { keys: key } });
    if (noted.matchedCount === 0) throw overtaken();
    await storage.store(key, file);
    const { matchedCount } = await pending.updateOne(here, {
      $push: { 'resumable.parts': { key, size } },
      $inc: { 'resumable.offset': size },
    });
    if (matchedCount === 0) {
      await storage.remove(key);
      throw overtaken();
    }
    return offset + size;
  }

  async function finish(id: ObjectId, upload: ResumableUpload, last: string, files: TemporaryFiles): Promise<void> {
    let file = last;
    if (upload.parts.length > 0) {
      file = files.newPath();
      await pipeline(partsThen(upload.parts, last), createWriteStream(file, { flags: 'wx', mode: 0o600 }));
    }
    const { uploader_id: uploaderId, original_filename: originalFilename, size } = upload;
    const whole = { file, size, originalFilename };
    const resumed = { id, keys: upload.parts.map(({ key }) => key) };
    const accept = upload.kind === 'media' ? uploads.acceptMedia : uploads.acceptFile;
    await accept({ uploaderId, received: whole, files, resumed });
  }

  async function* partsThen(parts: ResumableUpload['parts'], last: string): AsyncGenerator<Buffer> {
    for (const { key, size } of parts) yield* await storage.read(key, { start: 0, end: size });
    yield* createReadStream(last);
  }

  return {
    async begin(id, upload) {
      const now = clock();
      await pending.insertOne({
        _id: id,
        keys: [],
        expires_at: new Date(now.getTime() + RESUMABLE_MS),
        resumable: { ...upload, offset: 0, parts: [], created_at: now },
      });
    },
    async find(id, uploaderId) {
      const own = { _id: id, uploader_id: uploaderId, is_deleted: false };
      const [upload, ...documents] = await Promise.all([
        unfinished(id),
        ...finished.map((collection) => collection.findOne(own)),
      ]);
      const document = documents.find((found) => found !== null);
      if (document) return { size: document.file_size, offset: document.file_size, createdAt: document.created_at };
      if (!upload?.uploader_id.equals(uploaderId)) return undefined;
      return { size: upload.size, offset: upload.offset, createdAt: upload.created_at };
    },
    append: (id, offset, bytes) =>
      temporary.with(async (files) => {
        const file = files.newPath();
        const size = await writeWhatComes(bytes, file);
        const upload = await unfinished(id);
        if (upload?.offset !== offset) throw overtaken();
        if (size === 0) return offset;
        if (offset + size < upload.size) {
          if (upload.parts.length === MAX_PARTS) throw conflict(`more than ${MAX_PARTS} parts`);
          return storePart(id, offset, file, size);
        }
        try {
          await finish(id, upload, file, files);
        } catch (error) {
          // Refused for what it is: another try would end alike.
          if (error instanceof ContractError && error.status < 500 && error.code !== 'conflict') await discard(id);
          throw error;
        }
        return upload.size;
      }),
    discard,
  };
}

/** Writes a stream to a file until it ends or breaks off; gives the size of what is there. */
async function writeWhatComes(bytes: Readable, file: string): Promise<number> {
  const target = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  try {
    // Ended by hand: a stream that breaks off must not take with it what it brought.
    for await (const chunk of bytes) {
      if (!target.write(chunk)) await new Promise<void>((resolve) => target.once('drain', resolve));
    }
  } catch (error) {
    // Above the declared size.
    if ((error as { status_code?: number }).status_code === 413) throw error;
  } finally {
    await new Promise<void>((resolve, reject) =>
      target.end((error?: Error | null) => (error ? reject(error) : resolve())),
    );
  }
  return (await stat(file)).size;
}

const overtaken = () => conflict('the upload has gone on meanwhile; ask where it is');
