/**
 * What becomes of a file that was received: it is looked into, stored, and gets its Media or File document.
 *
 * Bytes and document cannot be written in one step, so the keys are noted as pending first, and the note goes away last:
 * whenever the process dies, the clean-up finds bytes without a document and removes them.
 */
import { type Collection, ObjectId, type OptionalUnlessRequiredId } from 'mongodb';
import type { Logger } from 'pino';
import type { Collections } from '../model/collections.ts';
import type { FileDocument, MediaDocument } from '../model/documents.ts';
import { isDuplicateKey } from '../model/failures.ts';
import { withDeadline } from '../lib/deadline.ts';
import { conflict, unavailable } from '../lib/errors.ts';
import type { Images } from './images.ts';
import type { Inspection } from './inspection.ts';
import type { Received } from './receive.ts';
import { type MediaStorage, newKey } from './storage.ts';
import type { TemporaryFiles } from './temporary-files.ts';

/** How long storing may take before the clean-up takes over, in milliseconds: far more than it can. */
const PENDING_MS = 60 * 60 * 1000;
/** How long an answer waits for what failed to be undone, in milliseconds: with the store's deadline less than 5 s. */
const UNDO_MS = 400;

export interface Upload {
  uploaderId: ObjectId;
  received: Received;
  /** What is made of it on the way; removed afterwards. */
  files: TemporaryFiles;
  /** The parts of a resumable upload, by its id. */
  resumed?: { id: ObjectId; keys: string[] };
}

export interface Uploads {
  /**
   * Keeps an image, video or audio file.
   * @throws ContractError `unsupported_media_type`, `validation_failed` or `payload_too_large` for what it is,
   *   `unavailable` when it cannot be stored; nothing is left behind
   */
  acceptMedia(upload: Upload): Promise<MediaDocument>;
  /** Keeps any file. @throws ContractError `unavailable` when it cannot be stored; nothing is left behind */
  acceptFile(upload: Upload): Promise<FileDocument>;
}

export interface UploadsOptions {
  collections: Collections;
  storage: MediaStorage;
  inspection: Inspection;
  images: Images;
  clock(): Date;
  log: Logger;
}

/** The storage key that a stored file name begins with. */
export function keyOf(filename: string): string {
  return filename.slice(0, filename.indexOf('.'));
}

/** The keys of everything that is stored for a document. */
export function keysOf(document: MediaDocument | FileDocument): string[] {
  const thumbnail = 'thumbnail' in document ? document.thumbnail : undefined;
  return [keyOf(document.filename), ...(thumbnail === undefined ? [] : [keyOf(thumbnail)])];
}

export function createUploads({ collections, storage, inspection, images, clock, log }: UploadsOptions): Uploads {
  const { media, files, pending_uploads: pending } = collections;

  /** Stores local files by their keys, then the document; `resumed` parts are removed. */
  async function keep<D extends MediaDocument | FileDocument>(
    collection: Collection<D>,
    document: D & OptionalUnlessRequiredId<D>,
    localFiles: string[],
    { resumed }: Upload,
  ): Promise<D> {
    const keys = keysOf(document);
    const _id = document._id;
    const note = { $addToSet: { keys: { $each: keys } }, $setOnInsert: { expires_at: expiry() } };
    const noting = pending.updateOne({ _id, abandoned: { $exists: false } }, note, { upsert: true });
    await withDeadline(noting).catch((error: unknown) => {
      throw isDuplicateKey(error) ? conflict('the upload is over') : error;
    });
    try {
      for (const [i, key] of keys.entries()) await storage.store(key, localFiles[i]!);
      await withDeadline(collection.insertOne(document));
      for (const key of resumed?.keys ?? []) await storage.remove(key);
      const { deletedCount } = await withDeadline(pending.deleteOne({ _id, abandoned: { $exists: false } }));
      // This process slept so long that the clean-up gave it up for dead.
      if (deletedCount === 0) throw unavailable();
      return document;
    } catch (error) {
      await withDeadline(undo(collection, document, keys), UNDO_MS).catch((err: unknown) =>
        log.warn({ err }, 'a failed upload is left to the clean-up'),
      );
      throw isDuplicateKey(error) ? conflict('the upload is finished already') : error;
    }
  }

  /** The note stays for the clean-up: a write that timed out may still arrive at the store. */
  async function undo<D extends MediaDocument | FileDocument>(
    collection: Collection<D>,
    { _id, filename }: MediaDocument | FileDocument,
    keys: string[],
  ): Promise<void> {
    // By its name too: of two that finish the same resumable upload, one must not undo the other's.
    await (collection as unknown as Collection<FileDocument>).deleteOne({ _id, filename });
    for (const key of keys) await storage.remove(key);
  }

  const expiry = () => new Date(clock().getTime() + PENDING_MS);

  function common({ uploaderId, received, resumed }: Upload, extension: string) {
    const now = clock();
    return {
      _id: resumed?.id ?? new ObjectId(),
      filename: `${newKey()}.${extension}`,
      original_filename: received.originalFilename,
      uploader_id: uploaderId,
      created_at: now,
      is_deleted: false,
      stored: true,
      unsent: true,
      used_at: now,
    } as const;
  }

  return {
    async acceptMedia(upload) {
      const { file, size } = upload.received;
      const { mediaType, mimeType, extension, ...found } = await inspection.media(file);
      if (mediaType !== 'image') {
        const document: MediaDocument = {
          ...common(upload, extension),
          file_size: size,
          media_type: mediaType,
          mime_type: mimeType,
          ...found,
          view_count: 0,
        };
        return keep(media, document, [file], upload);
      }
      const image = await images.process(file, mimeType, upload.files);
      const document: MediaDocument = {
        ...common(upload, image.extension),
        file_size: image.size,
        media_type: 'image',
        mime_type: image.mimeType,
        width: image.width,
        height: image.height,
        thumbnail: `${newKey()}.webp`,
        thumbnail_size: image.thumbnail.size,
        view_count: 0,
        optimized: true,
      };
      return keep(media, document, [image.file, image.thumbnail.file], upload);
    },

    async acceptFile(upload) {
      const { file, size } = upload.received;
      const { mimeType, extension } = await inspection.file(file);
      const document: FileDocument = {
        ...common(upload, extension),
        file_size: size,
        mime_type: mimeType,
        download_count: 0,
      };
      return keep(files, document, [file], upload);
    },
  };
}
