/**
 * The state of uploads that arrive in several requests, perhaps on several nodes: kept in `pending_uploads`, under the
 * id that the finished upload will have.
 */
import type { ObjectId } from 'mongodb';
import { withDeadline } from '../../lib/deadline.ts';
import { conflict, notFound } from '../../lib/errors.ts';
import type { Collections } from '../../model/collections.ts';
import type { ResumableUpload } from '../../model/documents/media.ts';
import { insertOnce } from '../../model/insert-once.ts';
import type { Kinds } from '../documents/kinds.ts';
import { amountOf } from '../quota/amount.ts';
import type { Quota } from '../quota/quota.ts';
import { type MediaStorage, newKey } from '../storage/storage.ts';

/** Lifetime of an unfinished upload, in milliseconds. */
export const LIFETIME_MS = 24 * 60 * 60 * 1000;
/** Longest wait for undoing a beginning, in milliseconds. With the store's deadline it stays below 5 s. */
const UNDO_MS = 400;
/** What the clean-up has not taken over. */
const ALIVE = { abandoned: { $exists: false } };

export interface Progress {
  /** Bytes of the whole upload. */
  size: number;
  /** Bytes received so far. */
  offset: number;
  createdAt: Date;
}

export interface ResumableUploads {
  /** @throws ContractError `payload_too_large` when the uploader's quota has no room for it */
  begin(id: ObjectId, upload: Omit<ResumableUpload, 'offset' | 'parts' | 'created_at'>): Promise<void>;
  /** @returns an unfinished upload, whoever its uploader is; undefined when there is none */
  unfinished(id: ObjectId): Promise<ResumableUpload | undefined>;
  /** @returns how far a user's own upload has got, a finished one too; undefined when there is none */
  progress(id: ObjectId, uploaderId: ObjectId): Promise<Progress | undefined>;
  /**
   * Stores a local file as the next part.
   * @param offset where the part begins
   * @param size of the part in bytes
   * @returns the new offset
   * @throws ContractError `conflict` when another request has moved the offset
   */
  addPart(id: ObjectId, offset: number, file: string, size: number): Promise<number>;
  /** Ends an unfinished upload and removes its parts. @throws ContractError `not_found` when there is none */
  discard(id: ObjectId): Promise<void>;
}

export interface ResumableUploadsOptions {
  collections: Pick<Collections, 'pending_uploads'>;
  kinds: Kinds;
  storage: MediaStorage;
  quota: Quota;
  clock(): Date;
}

export const overtaken = () => conflict('another request has continued this upload; ask for its offset');

export function createResumableUploads(options: ResumableUploadsOptions): ResumableUploads {
  const { kinds, storage, quota, clock } = options;
  const { pending_uploads: pending } = options.collections;

  async function unfinished(id: ObjectId): Promise<ResumableUpload | undefined> {
    return (await withDeadline(pending.findOne({ _id: id, ...ALIVE })))?.resumable;
  }

  return {
    async begin(id, upload) {
      const now = clock();
      const { uploader_id, size } = upload;
      const note = {
        _id: id,
        keys: [],
        uploader_id,
        bytes: size,
        expires_at: new Date(now.getTime() + LIFETIME_MS),
        resumable: { ...upload, offset: 0, parts: [], created_at: now },
      };
      try {
        await quota.take(uploader_id, size, async () => void (await insertOnce(pending, note)));
      } catch (error) {
        const undone = quota.giveBack(uploader_id, () => pending.findOneAndDelete({ _id: id, ...ALIVE }), amountOf);
        await withDeadline(undone, UNDO_MS).catch(() => {});
        throw error;
      }
    },
    unfinished,
    async progress(id, uploaderId) {
      const own = { _id: id, uploader_id: uploaderId, is_deleted: false };
      const [upload, asMedia, asFile] = await Promise.all([
        unfinished(id),
        withDeadline(kinds.media.collection.findOne(own)),
        withDeadline(kinds.file.collection.findOne(own)),
      ]);
      const document = asMedia ?? asFile;
      if (document) return { size: document.file_size, offset: document.file_size, createdAt: document.created_at };
      if (!upload?.uploader_id.equals(uploaderId)) return undefined;
      return { size: upload.size, offset: upload.offset, createdAt: upload.created_at };
    },
    async addPart(id, offset, file, size) {
      const key = newKey();
      const here = { _id: id, 'resumable.offset': offset, ...ALIVE };
      const noted = await withDeadline(pending.updateOne(here, { $addToSet: { keys: key } }));
      if (noted.matchedCount === 0) throw overtaken();
      await storage.store(key, file);
      const moved = { $push: { 'resumable.parts': { key, size } }, $inc: { 'resumable.offset': size } };
      const { matchedCount } = await withDeadline(pending.updateOne(here, moved));
      if (matchedCount === 0) {
        await storage.remove(key);
        throw overtaken();
      }
      return offset + size;
    },
    async discard(id) {
      const upload = await unfinished(id);
      // Marked as the clean-up marks it, so that the clean-up goes on should this process die.
      const mark = { $set: { abandoned: true as const, expires_at: clock() } };
      const take = () => pending.findOneAndUpdate({ _id: id, ...ALIVE }, mark);
      const taken = upload && (await quota.giveBack(upload.uploader_id, take, amountOf));
      if (!taken) throw notFound('no such upload');
      for (const key of taken.keys) await storage.remove(key);
      await withDeadline(pending.deleteOne({ _id: id }));
    },
  };
}
