/**
 * Stores the bytes of an upload, then its document.
 *
 * The two cannot be written in one step. So the storage keys are noted in `pending_uploads` first, and the note is
 * removed last: wherever the process dies, the clean-up finds bytes without a document by their note.
 */
import type { Logger } from 'pino';
import { withDeadline } from '../../lib/deadline.ts';
import { conflict, unavailable } from '../../lib/errors.ts';
import { upsert } from '../../model/batches.ts';
import type { Collections } from '../../model/collections.ts';
import { isDuplicateKey } from '../../model/failures.ts';
import { keysOf } from '../documents/filenames.ts';
import type { Kind, UploadDocument } from '../documents/kinds.ts';
import type { MediaStorage } from '../storage/storage.ts';

/** When the clean-up takes over a note, in milliseconds: far longer than storing takes. */
const PENDING_MS = 60 * 60 * 1000;
/** Longest wait for undoing a failed upload, in milliseconds. With the store's deadline it stays below 5 s. */
const UNDO_MS = 400;

export interface KeepOptions {
  collections: Pick<Collections, 'pending_uploads'>;
  storage: MediaStorage;
  clock(): Date;
  log: Logger;
}

/**
 * Stores local files, in the order of `keysOf(document)`, and then the document.
 * @param parts keys of a resumable upload's parts, which are removed
 * @throws ContractError `conflict` when a resumable upload is over or finished already, `unavailable` when it cannot be
 *   stored; either leaves nothing behind
 */
export type Keep = (kind: Kind, document: UploadDocument, localFiles: string[], parts?: string[]) => Promise<void>;

export function createKeep({ collections, storage, clock, log }: KeepOptions): Keep {
  const { pending_uploads: pending } = collections;

  async function note({ _id }: UploadDocument, keys: string[]): Promise<void> {
    const expires_at = new Date(clock().getTime() + PENDING_MS);
    const update = { $addToSet: { keys: { $each: keys } }, $setOnInsert: { expires_at } };
    const noting = upsert(pending, { filter: { _id, abandoned: { $exists: false } }, update });
    if (!(await withDeadline(noting))) throw conflict('the upload is over');
  }

  async function removeNote({ _id }: UploadDocument): Promise<void> {
    const { deletedCount } = await withDeadline(pending.deleteOne({ _id, abandoned: { $exists: false } }));
    // This process slept for so long that the clean-up took over.
    if (deletedCount === 0) throw unavailable();
  }

  /** Leaves the note to the clean-up: a write that timed out may still reach the store. */
  async function undo({ collection }: Kind, { _id, filename }: UploadDocument, keys: string[]): Promise<void> {
    // By file name too: of two requests that finish the same resumable upload, one must not undo the other's.
    await collection.deleteOne({ _id, filename });
    for (const key of keys) await storage.remove(key);
  }

  return async (kind, document, localFiles, parts = []) => {
    const keys = keysOf(document);
    await note(document, keys);
    try {
      for (const [i, key] of keys.entries()) await storage.store(key, localFiles[i]!);
      await withDeadline(kind.collection.insertOne(document));
      for (const key of parts) await storage.remove(key);
      await removeNote(document);
    } catch (error) {
      await withDeadline(undo(kind, document, keys), UNDO_MS).catch((err: unknown) =>
        log.warn({ err }, 'a failed upload is left to the clean-up'),
      );
      throw isDuplicateKey(error) ? conflict('the upload is finished already') : error;
    }
  };
}
