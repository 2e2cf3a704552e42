/** The uploads of one user, as the tus server sees them. */
import type { Readable } from 'node:stream';
import { DataStore, ERRORS, Upload } from '@tus/server';
import type { ObjectId } from 'mongodb';
import { fromId } from '../../model/codec.ts';
import type { Append } from '../resumable/append.ts';
import { LIFETIME_MS, type ResumableUploads } from '../resumable/resumable-uploads.ts';
import { EXTENSIONS } from './protocol.ts';

const ID = /^[0-9a-f]{24}$/;

/** @param userId whose uploads these are; nobody else's are found */
export function createStore(resumable: ResumableUploads, append: Append, userId: ObjectId): DataStore {
  async function getUpload(id: string): Promise<Upload> {
    const found = ID.test(id) ? await resumable.progress(fromId(id), userId) : undefined;
    if (!found) throw ERRORS.FILE_NOT_FOUND;
    const { size, offset, createdAt } = found;
    return new Upload({ id, size, offset, creation_date: createdAt.toISOString() });
  }

  return Object.assign(new DataStore(), {
    extensions: EXTENSIONS,
    getExpiration: () => LIFETIME_MS,
    async create(upload: Upload) {
      const { kind, filename } = upload.metadata!;
      await resumable.begin(fromId(upload.id), {
        uploader_id: userId,
        kind: kind === 'media' ? 'media' : 'file',
        original_filename: filename!,
        size: upload.size!,
      });
      return upload;
    },
    getUpload,
    write: (bytes: Readable, id: string, offset: number) => append(fromId(id), offset, bytes),
    async remove(id: string) {
      await getUpload(id);
      await resumable.discard(fromId(id));
    },
  });
}
