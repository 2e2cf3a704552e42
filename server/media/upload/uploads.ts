/** Accepts complete files: inspects each, stores it, and creates its Media or File document. */
import { ObjectId } from 'mongodb';
import type { FileDocument, MediaDocument } from '../../model/documents/media.ts';
import { newFilename } from '../documents/filenames.ts';
import type { Kind, Kinds, UploadDocument } from '../documents/kinds.ts';
import type { Images } from '../images/images.ts';
import type { Inspection } from '../inspect/inspection.ts';
import type { TemporaryFiles } from '../storage/temporary-folder.ts';
import type { Keep } from './keep.ts';
import type { Received } from './receive.ts';

export interface Upload {
  uploaderId: ObjectId;
  received: Received;
  /** For the files made on the way; removed afterwards. */
  files: TemporaryFiles;
  /** Set for a resumable upload: its id, and the keys of its parts. */
  resumed?: { id: ObjectId; keys: string[] };
}

/**
 * Accepts an upload of a kind; whatever fails leaves nothing behind.
 * @throws ContractError of media `unsupported_media_type`, `validation_failed` or `payload_too_large` for its content;
 *   of both kinds what `Keep` throws
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
  /** What both kinds of documents have in common. */
  function newDocument({ uploaderId, received, resumed }: Upload, extension: string) {
    const now = clock();
    return {
      _id: resumed?.id ?? new ObjectId(),
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
    const image = await images.process(upload.received.file, inspectedType, upload.files);
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
    await keep(kinds.media, document, [image.file, image.thumbnail.file], upload.resumed?.keys);
    return document;
  }

  return {
    async media(upload) {
      const { file } = upload.received;
      const { mediaType, mimeType, extension, ...tracks } = await inspection.media(file);
      if (mediaType === 'image') return acceptImage(upload, mimeType);
      const document: MediaDocument = {
        ...newDocument(upload, extension),
        media_type: mediaType,
        mime_type: mimeType,
        ...tracks,
        view_count: 0,
      };
      await keep(kinds.media, document, [file], upload.resumed?.keys);
      return document;
    },

    async file(upload) {
      const { file } = upload.received;
      const { mimeType, extension } = await inspection.file(file);
      const document: FileDocument = { ...newDocument(upload, extension), mime_type: mimeType, download_count: 0 };
      await keep(kinds.file, document, [file], upload.resumed?.keys);
      return document;
    },
  };
}
