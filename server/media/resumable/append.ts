/** Continues a resumable upload with what one request brings. The last request creates the Media or File document. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { ObjectId } from 'mongodb';
import { ContractError, conflict } from '../../lib/errors.ts';
import type { ResumableUpload } from '../../model/documents/media.ts';
import { writeNewFile } from '../storage/new-file.ts';
import type { MediaStorage } from '../storage/storage.ts';
import type { TemporaryFiles, TemporaryFolder } from '../storage/temporary-folder.ts';
import type { Uploads } from '../upload/uploads.ts';
import { overtaken, type ResumableUploads } from './resumable-uploads.ts';
import { writeUntilBreak } from './write-until-break.ts';

/** More interruptions than any upload has; each part is an entry in the document. */
const MAX_PARTS = 1000;

export interface AppendOptions {
  resumable: ResumableUploads;
  storage: MediaStorage;
  temporary: TemporaryFolder;
  uploads: Uploads;
  /** Called before each piece is written; throws ContractError `unavailable` when the disk has no room for it. */
  requireRoom(): void;
}

/**
 * Appends bytes at an offset, as many as arrive before the request ends or breaks off.
 * @returns the new offset
 * @throws ContractError `conflict` when another request has moved the offset; what `requireRoom` throws; what `Uploads`
 *   throws, after which the upload is gone, unless that was `unavailable` or `conflict`
 */
export type Append = (id: ObjectId, offset: number, bytes: Readable) => Promise<number>;

export function createAppend({ resumable, storage, temporary, uploads, requireRoom }: AppendOptions): Append {
  async function finish(id: ObjectId, upload: ResumableUpload, last: string, files: TemporaryFiles): Promise<void> {
    const { kind, parts, size, uploader_id: uploaderId, original_filename: originalFilename } = upload;
    const file = parts.length === 0 ? last : files.newPath();
    if (file !== last) await writeNewFile(file, join(storage, parts, last));
    try {
      const received = { file, size, originalFilename };
      await uploads[kind]({ id, uploaderId, received, files, parts: parts.map(({ key }) => key) });
    } catch (error) {
      // The content is refused; trying again would not change that.
      if (error instanceof ContractError && error.status < 500 && error.code !== 'conflict') {
        await resumable.discard(id);
      }
      throw error;
    }
  }

  return (id, offset, bytes) =>
    temporary.with(async (files) => {
      const file = files.newPath();
      const size = await writeUntilBreak(bytes, file, requireRoom);
      const upload = await resumable.unfinished(id);
      if (upload?.offset !== offset) throw overtaken();
      if (size === 0) return offset;
      if (offset + size < upload.size) {
        if (upload.parts.length === MAX_PARTS) throw conflict(`more than ${MAX_PARTS} parts`);
        return resumable.addPart(id, offset, file, size);
      }
      await finish(id, upload, file, files);
      return upload.size;
    });
}

/** The bytes of the stored parts, then those of a local file. */
async function* join(storage: MediaStorage, parts: ResumableUpload['parts'], last: string): AsyncGenerator<Buffer> {
  for (const { key, size } of parts) yield* await storage.read(key, { start: 0, end: size });
  yield* createReadStream(last);
}
