/** Deletes uploads, and their bytes. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { forbidden } from '../../lib/errors.ts';
import { fromId } from '../../model/codec.ts';
import { keysOf } from '../documents/filenames.ts';
import type { Kind, UploadCollection, UploadDocument } from '../documents/kinds.ts';
import type { Quota } from '../quota/quota.ts';
import type { FindReadable } from '../read/access.ts';
import type { MediaStorage } from '../storage/storage.ts';

/** Removes the bytes of a deleted upload and notes that they are gone. Never rejects: the clean-up tries again. */
export type RemoveBytes = (collection: UploadCollection, upload: UploadDocument) => Promise<void>;

export function createRemoveBytes(storage: MediaStorage, log: Logger): RemoveBytes {
  return async (collection, upload) => {
    try {
      for (const key of keysOf(upload)) await storage.remove(key);
      await collection.updateOne({ _id: upload._id }, { $unset: { stored: true } });
    } catch (err) {
      log.warn({ err, upload: upload._id }, 'bytes of a deleted upload are left to the clean-up');
    }
  };
}

export interface RemoveOptions {
  findReadable: FindReadable;
  removeBytes: RemoveBytes;
  quota: Quota;
}

/**
 * The handler of `DELETE`. It throws ContractError `forbidden` to readers other than the uploader, `not_found` to
 * everybody else.
 */
export function createRemove({ collection }: Kind, { findReadable, removeBytes, quota }: RemoveOptions) {
  return async (request: FastifyRequest<{ Params: { id: string } }>, reply: FastifyReply): Promise<FastifyReply> => {
    const { id } = request.params;
    const { userId } = request.caller;
    const own = { _id: fromId(id), uploader_id: userId, is_deleted: false };
    const removed = await quota.giveBack(
      userId,
      () => collection.findOneAndUpdate(own, { $set: { is_deleted: true }, $unset: { unsent: true } }),
      (upload) => ({ bytes: upload?.file_size ?? 0 }),
    );
    if (!removed) {
      await findReadable(collection, id, userId);
      throw forbidden('only the uploader can delete an upload');
    }
    await removeBytes(collection, removed);
    return reply.code(204).send();
  };
}
