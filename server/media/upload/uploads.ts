/** Accepts complete files: inspects each, stores it, and creates its Media or File document. */
import type { ObjectId } from 'mongodb';
import { createTieredQueue } from '../../lib/tiered-queue.ts';
import type { FileDocument, MediaDocument } from '../../model/documents/media.ts';
import { newFilename } from '../documents/filenames.ts';
import type { Kind, Kinds, UploadDocument } from '../documents/kinds.ts';
import type { Images } from '../images/images.ts';
import { INSPECTED_AT_ONCE, type Inspection } from '../inspect/inspection.ts';
import type { TemporaryFiles } from '../storage/temporary-folder.ts';
import type { Keep } from './keep.ts';
import type { Received } from './receive.ts';

/** One file of a user at a time; as many may wait as pictures. */
const INSPECTION_TURNS = {
  name: 'inspections',
  classes: [{ most: INSPECTED_AT_ONCE, mostPerUser: 1 }],
  mostWaitingPerUser: 500,
  mostWaiting: 2000,
};

export interface Upload {
  /** New, or that of the resumable upload. */
  id: ObjectId;
  uploaderId: ObjectId;
  received: Received;
  /** For the files made on the way; removed afterwards. */
  files: TemporaryFiles;
  /** Set for a resumable upload: the keys of its parts. */
  parts?: string[];
}

/**
 * Accepts an upload of a kind; whatever fails leaves nothing behind.
 * @throws ContractError for media, by their content, `unsupported_media_type`, `validation_failed` or
 *   `payload_too_large`; for both kinds `rate_limited` or `unavailable` when too many wait, and what `Keep` throws
 */
export type Uploads = Record<Kind['name'], (upload: Upload) => Promise<UploadDocument>>;

export interface UploadsOptions {
  kinds: Kinds;
  inspection: Inspection;
  images: Images;
  keep: Keep;
  clock(): Date;
}

export function createUploads({ kinds, inspection, images, keep, clock }: UploadsOptions): Uploads {
  const turns = createTieredQueue(INSPECTION_TURNS);

  function inspected<T>({ uploaderId, received }: Upload, inspect: (file: string) => Promise<T>): Promise<T> {
    return turns.run(uploaderId.toHexString(), 0, () => inspect(received.file));
  }

  /** What both kinds of documents have in common. */
  function newDocument({ id, uploaderId, received }: Upload, extension: string) {
    const now = clock();
    return {
      _id: id,
      filename: newFilename(extension),
      original_filename: received.originalFilename,
      file_size: received.size,
      uploader_id: uploaderId,
      created_at: now,
      is_deleted: false,
      stored: true,
      unsent: true,
      used_at: now,
    } as const;
  }

  async function acceptImage(upload: Upload, inspectedType: string): Promise<MediaDocument> {
    const image = await images.process({
      file: upload.received.file,
      mimeType: inspectedType,
      userId: upload.uploaderId.toHexString(),
      files: upload.files,
    });
    const document: MediaDocument = {
      ...newDocument(upload, image.extension),
      file_size: image.size,
      media_type: 'image',
      mime_type: image.mimeType,
      width: image.width,
      height: image.height,
      thumbnail: newFilename('webp'),
      thumbnail_size: image.thumbnail.size,
      view_count: 0,
      optimized: true,
    };
    await keep(kinds.media, document, [image.file, image.thumbnail.file], upload.parts);
    return document;
  }

  return {
    async media(upload) {
      const { file } = upload.received;
      const { mediaType, mimeType, extension, ...tracks } = await inspected(upload, inspection.media);
      if (mediaType === 'image') return acceptImage(upload, mimeType);
      const document: MediaDocument = {
        ...newDocument(upload, extension),
        media_type: mediaType,
        mime_type: mimeType,
        ...tracks,
        view_count: 0,
      };
      await keep(kinds.media, document, [file], upload.parts);
      return document;
    },

    async file(upload) {
      const { file } = upload.received;
      const { mimeType, extension } = await inspected(upload, inspection.file);
      const document: FileDocument = { ...newDocument(upload, extension), mime_type: mimeType, download_count: 0 };
      await keep(kinds.file, document, [file], upload.parts);
      return document;
    },
  };
}
