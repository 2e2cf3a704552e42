/**
 * Stores the bytes of an upload, then its document.
 *
 * The two cannot be written in one step. So the storage keys are noted in `pending_uploads` first, and the note is
 * removed last: wherever the process dies, the clean-up finds bytes without a document by their note. By the same note
 * the upload counts in its uploader's quota until the document does.
 */
import type { Logger } from 'pino';
import { withDeadline } from '../../lib/deadline.ts';
import { conflict, unavailable } from '../../lib/errors.ts';
import { upsert } from '../../model/batches.ts';
import type { Collections } from '../../model/collections.ts';
import { insertOnce } from '../../model/insert-once.ts';
import { keysOf } from '../documents/filenames.ts';
import type { Kind, UploadDocument } from '../documents/kinds.ts';
import { amountOf } from '../quota/amount.ts';
import type { Quota } from '../quota/quota.ts';
import type { MediaStorage } from '../storage/storage.ts';

/** When the clean-up takes over a note, in milliseconds: far longer than storing takes. */
const PENDING_MS = 60 * 60 * 1000;
/** Longest wait for undoing a failed upload, in milliseconds. With the store's deadline it stays below 5 s. */
const UNDO_MS = 400;

export interface KeepOptions {
  collections: Pick<Collections, 'pending_uploads'>;
  storage: MediaStorage;
  quota: Quota;
  /** Of this process. */
  nodeId: string;
  clock(): Date;
  log: Logger;
}

/**
 * Stores local files, in the order of `keysOf(document)`, and then the document.
 * @param parts keys of a resumable upload's parts, which are removed
 * @throws ContractError `payload_too_large` when the uploader's quota is used up, `conflict` when a resumable upload is
 *   over or finished already, `unavailable` when it cannot be stored; each leaves nothing behind
 */
export type Keep = (kind: Kind, document: UploadDocument, localFiles: string[], parts?: string[]) => Promise<void>;

export function createKeep({ collections, storage, quota, nodeId, clock, log }: KeepOptions): Keep {
  const { pending_uploads: pending } = collections;

  async function note({ _id, uploader_id, file_size }: UploadDocument, keys: string[]): Promise<void> {
    const expires_at = new Date(clock().getTime() + PENDING_MS);
    const filter = { _id, abandoned: { $exists: false } };
    const update = {
      $addToSet: { keys: { $each: keys } },
      $max: { bytes: file_size },
      $unset: { expected: true as const },
      $setOnInsert: { uploader_id, node_id: nodeId, expires_at },
    };
    if (!(await withDeadline(upsert(pending, { filter, update })))) throw conflict('the upload is over');
  }

  /** Notes the keys, and counts what is not counted yet. @returns how much is counted by the note */
  async function noteAndCount(document: UploadDocument, keys: string[]): Promise<number> {
    const { _id, uploader_id, file_size } = document;
    const { bytes, expected } = amountOf(await withDeadline(pending.findOne({ _id })));
    if (bytes >= file_size) await note(document, keys);
    else await quota.take(uploader_id, file_size - bytes, () => note(document, keys), expected);
    return Math.max(bytes, file_size);
  }

  async function removeNote({ _id }: UploadDocument): Promise<void> {
    const { deletedCount } = await withDeadline(pending.deleteOne({ _id, abandoned: { $exists: false } }));
    // This process slept for so long that the clean-up took over.
    if (deletedCount === 0) throw unavailable();
  }

  /** From now on the document counts, by its size. */
  async function finish(document: UploadDocument, counted: number): Promise<void> {
    const surplus = counted - document.file_size;
    if (surplus === 0) return removeNote(document);
    await quota.giveBack(
      document.uploader_id,
      () => removeNote(document),
      () => ({ bytes: surplus }),
    );
  }

  /** Leaves the note to the clean-up: a write that timed out may still reach the store. */
  async function undo({ collection }: Kind, { _id, filename, uploader_id }: UploadDocument, keys: string[]) {
    // By file name too: of two requests that finish the same resumable upload, one must not undo the other's.
    await collection.deleteOne({ _id, filename });
    for (const key of keys) await storage.remove(key);
    await uncount({ _id, uploader_id });
  }

  /** A resumable upload may be tried again, and keeps counting. */
  async function uncount({ _id, uploader_id }: Pick<UploadDocument, '_id' | 'uploader_id'>): Promise<void> {
    const counted = { _id, abandoned: { $exists: false }, resumable: { $exists: false } };
    const uncounting = () => pending.findOneAndUpdate(counted, { $unset: { bytes: true, expected: true } });
    await quota.giveBack(uploader_id, uncounting, amountOf);
  }

  async function undoing<T>(step: Promise<T>, undone: () => Promise<void>): Promise<T> {
    try {
      return await step;
    } catch (error) {
      await withDeadline(undone(), UNDO_MS).catch((err: unknown) =>
        log.warn({ err }, 'a failed upload is left to the clean-up'),
      );
      throw error;
    }
  }

  return async (kind, document, localFiles, parts = []) => {
    const keys = keysOf(document);
    const counted = await undoing(noteAndCount(document, keys), () => uncount(document));
    const storing = async () => {
      for (const [i, key] of keys.entries()) await storage.store(key, localFiles[i]!);
      const { _id, filename } = document;
      // By file name too: another request may have finished the same resumable upload.
      const isStored = await withDeadline(insertOnce(kind.collection, document, { _id, filename }));
      if (!isStored) throw conflict('the upload is finished already');
      for (const key of parts) await storage.remove(key);
      await finish(document, counted);
    };
    await undoing(storing(), () => undo(kind, document, keys));
  };
}
